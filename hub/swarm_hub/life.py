"""The life of tasks and agents in the hub's own log: a line for each event of the journal, once it is durable."""

import logging
from typing import Any

from pydantic_core import from_json

from swarm_hub.store.entries import Entry
from swarm_hub.store.transaction import Notices

log = logging.getLogger(__name__)
LONGEST = 100  # characters of a code: workers say them


def tell(notices: Notices) -> None:
    """Codes and ids alone: what somebody wrote is in the journal and the tasks' own logs."""
    if not log.isEnabledFor(logging.INFO):
        return
    for event in notices.events:
        log.info(_words(event, payload := from_json(event.frame)["payload"]), extra=_about(event, payload, notices))


def _words(event: Entry, payload: dict[str, Any]) -> str:
    words, code = event.type.replace("_", " "), (payload.get("error") or {}).get("code")
    return f"{words}: {str(code)[:LONGEST]!r}" if code else words


def _about(event: Entry, payload: dict[str, Any], notices: Notices) -> dict[str, Any]:
    """The ids, as `logs` shows them."""
    about = {"task_id": event.task_id, "agent_id": payload.get("agentId"), "seq": event.seq}
    request = notices.requests.get(event.seq)
    return about if request is None else {**about, "request_id": request}
