"""Ending processes: a command with its group, and all of an agent, which are below the worker or have its cookie."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from swarm_worker.launch import COOKIE

if TYPE_CHECKING:
    import psutil

MERCY = 0.5
"""Seconds between the request to end and the end."""
LONGEST = 5.0
LOOK_AGAIN = 0.02


async def end_group(process: asyncio.subprocess.Process, mercy: float) -> None:
    """End a command that leads a session, with what it started there: asked, and killed after `mercy` seconds.

    Killed at once when this is cancelled: whoever waits has no patience left.
    """
    try:
        os.killpg(process.pid, signal.SIGTERM)
        async with asyncio.timeout(mercy):
            await process.wait()
    except (ProcessLookupError, TimeoutError):
        pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await _reap(process)


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Wait for a killed process, however often this is cancelled: it ends at once, and nobody else waits for it."""
    cancelled = None
    while process.returncode is None:
        try:
            await process.wait()
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled


def has_children() -> bool:
    """False only when there are none for certain. Orphans of our descendants count: we are their parent on Linux.

    Linux says so, if it was built to; most workers have none in the end, and psutil takes longer to import than this.
    """
    tasks = list(Path("/proc/self/task").glob("*/children"))
    try:
        return not tasks or any(children.read_text().strip() for children in tasks)
    except OSError:
        return True


def find_all(agent_id: str) -> "list[psutil.Process]":
    """Every running process of the agent but this one."""
    import psutil

    found = set(psutil.Process().children(recursive=True))
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(COOKIE) == agent_id:
                found.add(process)
    return [process for process in found if _runs(process)]


def _runs(process: "psutil.Process") -> bool:
    import psutil

    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


async def end_all(agent_id: str, mercy: float = MERCY) -> list[str]:
    """End what an agent left running; the names of what there was. `mercy`: seconds until asking becomes killing."""
    if not has_children():
        return []
    loop = asyncio.get_running_loop()
    began, asked, names = loop.time(), set[int](), set[str]()
    while (left := find_all(agent_id)) and loop.time() - began < LONGEST:
        kill = loop.time() - began >= mercy
        for process in left:
            if kill or process.pid not in asked:
                asked.add(process.pid)
                names |= _send(process, signal.SIGKILL if kill else signal.SIGTERM)
        await asyncio.sleep(LOOK_AGAIN)
    return sorted(names)


def _send(process: "psutil.Process", number: int) -> set[str]:
    import psutil

    try:
        name = process.name()
        process.send_signal(number)  # looks first whether the number has a new owner
        return {name}
    except psutil.Error:
        return set()
