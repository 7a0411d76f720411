"""Waiting for what is to happen in another process."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import psutil

LOOK_AGAIN = 0.01


async def until(happened: Callable[[], object], seconds: float = 20) -> None:
    """Return once it happened. Raises `TimeoutError` when it does not within that time."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110  # files and other processes set no event
            await asyncio.sleep(LOOK_AGAIN)


def wait_until(happened: Callable[[], object], seconds: float = 20) -> None:
    """The same for a test that is not asynchronous."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(LOOK_AGAIN)


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def is_whole_line(path: Path) -> bool:
    return path.exists() and path.read_text().endswith("\n")
