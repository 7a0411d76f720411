"""An event as a line."""

from swarm_api.base import rfc3339
from swarm_api.events import Event
from swarm_api.ids import short
from swarm_cli import look
from swarm_cli.screen import first_line, safe, safe_json


def plain(event: Event) -> str:
    """For programs: time, type, whole task id, and what there is to say, with tabs between."""
    task_id = str(event.payload.get("taskId") or "")
    return "\t".join((rfc3339(event.timestamp), event.type, safe(task_id), said(event)))


def brief(event: Event, title: str) -> str:
    """For people."""
    words = event.type.replace("_", " ")
    task_id = short(str(event.payload.get("taskId") or ""))
    parts = (event.timestamp.astimezone().strftime("%H:%M:%S"), task_id, words, said(event) or title)
    return "  ".join(safe(part) for part in parts if part)


def as_json(event: Event) -> str:
    return safe_json(event.model_dump_json(by_alias=True))


def said(event: Event) -> str:
    """What came of it: a failure's reason, the changes, the agent, the task's name."""
    payload = event.payload
    if isinstance(error := payload.get("error"), dict):
        return f"{safe(str(error.get('code')))}: {first_line(str(error.get('message')))}"
    if event.type == "task_completed":
        return look.plural(len(payload.get("filesChanged") or ()), "file")
    return safe(str(payload.get("agentId") or payload.get("name") or ""))
