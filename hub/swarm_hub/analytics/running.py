"""A request that is worked on: how long it may take, how large its answer may be, and how it is stopped."""

import time
from pathlib import Path

import duckdb

MOST_BYTES = 256 * 1024 * 1024  # of one answer


class Failed(Exception):
    """What the one who asked is told."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Running:
    """A request that is worked on, until it is done or stopped."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, seconds: float) -> None:
        self.connection = connection
        self.path = path
        self.stopped = ""
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def stop(self, code: str) -> None:
        """Once is not enough: what begins after an interrupt does not hear of it."""
        self.stopped = self.stopped or code
        self.connection.interrupt()

    def look(self) -> None:
        if self.stopped:
            self.stop(self.stopped)
        elif time.monotonic() > self._until:
            self.stop("query_timeout")
        elif _size(self.path) > MOST_BYTES:
            self.stop("answer_too_large")

    def failure(self) -> Failed:
        return Failed(self.stopped, {
            "query_timeout": f"it took longer than {self._seconds:g} s",
            "answer_too_large": f"its answer is over {MOST_BYTES:,} bytes; ask for fewer rows or columns",
        }.get(self.stopped, "it was stopped"))  # fmt: skip


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
