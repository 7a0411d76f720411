"""An agent's folder: the lock that is its worker's proof of life, whose agent it is, its output, how it ended."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PRIVATE = 0o600
LAST_LINE = 300
"""Characters of a worker's last words that are passed on as the reason of its end."""


@dataclass(frozen=True)
class AgentFolder:
    path: Path

    def make(self) -> None:
        """For its owner alone, which covers all that is put into it.

        The worker itself keeps the user's umask: a narrower one would reach the files of the user's repositories.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def lock(self) -> Iterator[int]:
        """The lock's file, opened but not yet locked. Closing it here leaves a child's lock as it is."""
        fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            yield fd
        finally:
            os.close(fd)

    def is_held(self) -> bool:
        """Whether any process holds the lock."""
        try:
            fd = os.open(self.path / "lock", os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return not take(fd, fcntl.LOCK_SH)  # shared, so that two who look do not take each other for a worker
        finally:
            os.close(fd)

    def pid(self) -> int | None:
        """The number of the process that the lock was taken for. None: nobody wrote it yet, or there is no folder."""
        try:
            found = re.search(rb"\d+", (self.path / "lock").read_bytes())
        except FileNotFoundError:
            return None
        return int(found.group()) if found else None

    def write_hub(self, hub_id: str) -> None:
        (self.path / "hub").write_text(hub_id)

    def hub(self) -> str | None:
        return _read(self.path / "hub")

    def write_exit_code(self, code: int) -> None:
        (self.path / "exit").write_text(str(code))

    def exit_code(self) -> int | None:
        code = _read(self.path / "exit")
        return int(code) if code else None

    @contextmanager
    def output(self) -> Iterator[int]:
        """Where the worker's output is appended."""
        fd = os.open(self.path / "output.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
        try:
            yield fd
        finally:
            os.close(fd)

    def last_line(self) -> str:
        """The last thing the worker had to say."""
        try:
            with (self.path / "output.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 4 * LAST_LINE))
                lines = file.read().decode(errors="replace").split("\n")
        except FileNotFoundError:
            return ""
        return next((line.strip()[:LAST_LINE] for line in reversed(lines) if line.strip()), "")


def take(fd: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock the file, if nobody stands in the way."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def record(fd: int, pid: int, start_time: float) -> None:
    """Write down whose lock it is. The worker does the same first thing; readers need the number alone."""
    os.pwrite(fd, json.dumps({"pid": pid, "startTime": start_time}).encode(), 0)


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
