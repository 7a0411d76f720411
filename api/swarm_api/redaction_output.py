"""An output that shows no credentials."""

import threading
from collections.abc import Iterable
from typing import Any, TextIO

from swarm_api.redaction import Redactor


class RedactedOutput:
    """Stands for a text file to write to, as standard error: what is written comes out redacted, line by line."""

    def __init__(self, inner: TextIO, redactor: Redactor) -> None:
        self._inner = inner
        self._stream = redactor.stream()
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        with self._lock:
            self._inner.write(self._stream.feed(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def finish(self) -> None:
        """Write what is held of a last line without an end."""
        with self._lock:
            self._inner.write(self._stream.end())
        self._inner.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
