"""An agent's folder: the lock that is its worker's proof of life, whose agent it is, its output, how it ended."""

import errno
import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PRIVATE = 0o600
SHORT = 256
"""Bytes that are read of what this module wrote: whatever it has become, it is not worth more."""
NOT_OURS = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.ENXIO})
"""How opening a file fails when there is none, or a link, a socket, or one that somebody made unreadable."""
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
        fd = self._open("lock", os.O_RDWR | os.O_CREAT)
        try:
            yield fd
        finally:
            os.close(fd)

    def is_held(self) -> bool:
        """Whether any process holds the lock."""
        with self._found("lock") as fd:
            # Shared, so that two who look do not take each other for a worker.
            return fd is not None and not take(fd, fcntl.LOCK_SH)

    def pid(self) -> int | None:
        """The number of the process that the lock was taken for. None: nobody wrote it yet, or there is no folder."""
        found = re.search(r"\d{1,9}", self._read("lock"))
        return int(found.group()) if found else None

    def write_hub(self, hub_id: str) -> None:
        self._write("hub", hub_id)

    def hub(self) -> str | None:
        return self._read("hub") or None

    def write_exit_code(self, code: int) -> None:
        self._write("exit", str(code))

    def exit_code(self) -> int | None:
        found = re.fullmatch(r"\d{1,3}", self._read("exit"))
        return int(found.group()) if found else None

    @contextmanager
    def output(self) -> Iterator[int]:
        """Where the worker's output is appended."""
        fd = self._open("output.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            yield fd
        finally:
            os.close(fd)

    def last_line(self) -> str:
        """The last thing the worker had to say."""
        with self._found("output.log") as fd:
            size = os.fstat(fd).st_size if fd is not None else 0
            words = os.pread(fd, 4 * LAST_LINE, max(0, size - 4 * LAST_LINE)) if fd is not None else b""
        lines = words.decode(errors="replace").split("\n")
        return next((line.strip()[:LAST_LINE] for line in reversed(lines) if line.strip()), "")

    def _open(self, name: str, flags: int) -> int:
        """Never what a link leads to, and without waiting for the other end of a pipe: an agent can put them here."""
        return os.open(self.path / name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, PRIVATE)

    @contextmanager
    def _found(self, name: str) -> Iterator[int | None]:
        """A file to read; None when there is none, or something else in its place."""
        try:
            fd = self._open(name, os.O_RDONLY)
        except OSError as error:
            if error.errno not in NOT_OURS:
                raise
            yield None
            return
        try:
            yield fd if stat.S_ISREG(os.fstat(fd).st_mode) else None
        finally:
            os.close(fd)

    def _read(self, name: str) -> str:
        with self._found(name) as fd:
            return "" if fd is None else os.pread(fd, SHORT, 0).decode(errors="replace")

    def _write(self, name: str, text: str) -> None:
        fd = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)


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
