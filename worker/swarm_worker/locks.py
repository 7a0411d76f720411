"""Locks that two workers of one machine agree on. They end with their process."""

import asyncio
import fcntl
import os
from contextlib import suppress
from pathlib import Path

LOOK_AGAIN = 0.05


class Busy(Exception):
    """Somebody else holds the lock for longer than we wait."""


class Lock:
    """A locked file, and the line of text that is kept in it from one holder to the next."""

    def __init__(self, path: Path, fd: int) -> None:
        self._path = path
        self._fd = fd

    @classmethod
    async def take(cls, path: Path, patience: float = float("inf")) -> "Lock":
        """Wait for the lock, at most `patience` seconds. Raises `Busy`."""
        try:
            async with asyncio.timeout(patience if patience < float("inf") else None):
                while (fd := _try(path)) is None:  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_AGAIN)  # flock tells nobody, and waiting in a thread cannot be ended
        except TimeoutError:
            raise Busy(str(path)) from None
        return cls(path, fd)

    @property
    def text(self) -> str:
        return os.pread(self._fd, 1024, 0).decode()

    def write(self, text: str) -> None:
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)

    def remove(self) -> None:
        """Remove the file. Whoever waits for it begins anew with another."""
        with suppress(FileNotFoundError):
            self._path.unlink()

    def close(self) -> None:
        os.close(self._fd)


def _try(path: Path) -> int | None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(fd).st_ino:
            return fd
    except (BlockingIOError, FileNotFoundError):
        pass  # held, or removed since it was opened
    os.close(fd)
    return None
