"""An event as a line."""

from swarm_api.base import rfc3339
from swarm_api.events import Event
from swarm_cli import look
from swarm_cli.screen import first_line, safe, safe_json


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
    if event.type == "task_created":
        return safe(f"{payload.get('type')} · {payload.get('model')}")
    if event.type == "task_completed":
        return look.plural(len(payload.get("filesChanged") or ()), "file")
    return safe(str(payload.get("agentId") or ""))
