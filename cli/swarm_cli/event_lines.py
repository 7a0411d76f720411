"""An event as a line."""

from collections.abc import Mapping
from typing import Any

from swarm_api.base import rfc3339
from swarm_api.events import Event
from swarm_cli import look
from swarm_cli.blocked import brief as brief_reason
from swarm_cli.screen import first_line, safe, safe_json

OF_ALL = frozenset({"budget_warning", "budget_exceeded", "usage_limit"})
"""Events that may concern no task in particular, but all of them."""
_WHOSE = {"daily": "the day", "weekly": "the week", "task": "the task"}


def plain(event: Event) -> str:
    """For programs: time, type, whole task id, and what there is to say, with tabs between."""
    task_id = str(event.payload.get("taskId") or "")
    return "\t".join((rfc3339(event.timestamp), event.type, safe(task_id), said(event)))


def brief(event: Event, name: str) -> tuple[str, ...]:
    """For people: when, which task, what, and what there is to say."""
    words = event.type.removeprefix("task_").replace("_", " ")
    return event.timestamp.astimezone().strftime("%H:%M:%S"), safe(name), words, said(event)


def as_json(event: Event) -> str:
    return safe_json(event.model_dump_json(by_alias=True))


def said(event: Event) -> str:
    """What came of it: a failure's reason, the changes, the agent."""
    payload = event.payload
    if isinstance(error := payload.get("error"), dict):
        return f"{safe(str(error.get('code')))}: {first_line(str(error.get('message')))}"
    if event.type in ("budget_warning", "budget_exceeded"):
        return _spent(payload)
    if event.type == "usage_limit":
        return _limited(payload)
    if event.type == "task_blocked":
        return "; ".join(brief_reason(blocked) for blocked in payload.get("blockedBy") or ())
    if event.type == "task_created":
        return safe(f"{payload.get('type')} · {payload.get('model')}")
    if event.type == "task_completed":
        return look.plural(len(payload.get("filesChanged") or ()), "file")
    return safe(str(payload.get("agentId") or ""))


def _spent(payload: Mapping[str, Any]) -> str:
    whose = _WHOSE.get(str(payload.get("scope")), str(payload.get("label")))
    spent, limit = (look.dollars(int(payload.get(field) or 0)) for field in ("spentCents", "limitCents"))
    return f"{safe(whose)}: {spent} of {limit} spent"


def _limited(payload: Mapping[str, Any]) -> str:
    until = look.until(str(payload["until"])) if payload.get("until") else ""
    return " · ".join(part for part in (until, first_line(str(payload.get("detail") or ""))) if part)
