"""The hub's own log: a line for people on a terminal, JSON elsewhere, each with the id of its request."""

import json
import logging
import sys
from datetime import UTC, datetime

from swarm_api.redaction import Redactor
from swarm_hub.guard import REQUEST_ID


class JsonLines(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "requestId": REQUEST_ID.get(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(self._redactor.value(line), ensure_ascii=False)


class TextLines(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)-7s [%(request)s] %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        record.request = REQUEST_ID.get()
        return self._redactor.text(super().format(record))


def configure(format_: str | None, level: str, redactor: Redactor) -> None:
    """Everything the hub logs goes to standard error, redacted."""
    handler = logging.StreamHandler()
    text = format_ == "text" or (format_ is None and sys.stderr.isatty())
    handler.setFormatter(TextLines(redactor) if text else JsonLines(redactor))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
