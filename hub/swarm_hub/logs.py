"""The hub's own log: a line for people on a terminal, JSON elsewhere, each with the ids of what it is about."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, NamedTuple

from swarm_api.redaction import Redactor
from swarm_hub.about import AGENT_ID, REQUEST_ID, TASK_ID


class JsonLines(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        about, redacted = _about(record), self._redactor.text
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "requestId": redacted(about.request_id),  # callers may give it; other ids are the hub's own
            **{name: value for name, value in about.others if value is not None},
            "message": redacted(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextLines(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)-7s [%(about)s] %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        about = _about(record)
        record.about = " ".join([about.request_id, *(value for _, value in about.ids if value is not None)])
        return self._redactor.text(super().format(record))


class _About(NamedTuple):
    """What a line is about."""

    request_id: str
    task_id: str | None
    agent_id: str | None
    seq: int | None

    @property
    def ids(self) -> tuple[tuple[str, str | None], ...]:
        return ("taskId", self.task_id), ("agentId", self.agent_id)

    @property
    def others(self) -> tuple[tuple[str, Any], ...]:
        return *self.ids, ("seq", self.seq)


def _about(record: logging.LogRecord) -> _About:
    """By what the line says of itself (`extra`), else by what is being worked on where it is logged."""
    return _About(
        getattr(record, "request_id", None) or REQUEST_ID.get(),
        getattr(record, "task_id", None) or TASK_ID.get(),
        getattr(record, "agent_id", None) or AGENT_ID.get(),
        getattr(record, "seq", None),
    )


def configure(format_: str | None, level: str, redactor: Redactor) -> None:
    """Everything the hub logs goes to standard error, redacted."""
    handler = logging.StreamHandler()
    text = format_ == "text" or (format_ is None and sys.stderr.isatty())
    handler.setFormatter(TextLines(redactor) if text else JsonLines(redactor))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
