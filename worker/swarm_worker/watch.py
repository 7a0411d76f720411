"""Looks at what an agent's processes use: told to the hub, and ended when it is more than the tier allows."""

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from swarm_api.worker import Limits, ProgressReport
from swarm_worker.halt import Halt, out_of_memory
from swarm_worker.outbox import Outbox

if TYPE_CHECKING:
    import psutil

FIRST = 2.0
"""Seconds until the first look: a short run is spared the import of psutil and the looks."""
SELDOM, OFTEN = 2.0, 0.25
"""Seconds between looks: while there is room, and when more than half the memory is used."""
REPORT_EVERY = 5.0
MEGABYTE = 1024 * 1024


async def watch(limits: Limits, outbox: Outbox, halt: Halt) -> None:
    """Runs until it is cancelled, or has found too much memory in use."""
    await asyncio.sleep(FIRST)
    loop = asyncio.get_running_loop()
    tree, reported = Tree(), 0.0
    while True:
        used_mb = tree.look()
        if used_mb > limits.memory_mb and (used_mb := tree.own_mb()) > limits.memory_mb:
            return halt.because(out_of_memory(used_mb, limits.memory_mb))
        if loop.time() - reported >= REPORT_EVERY:
            reported = loop.time()
            outbox.put(ProgressReport(cpu_percent=tree.cpu_percent(loop.time()), rss_mb=round(used_mb, 1)))
        await asyncio.sleep(OFTEN if used_mb > limits.memory_mb / 2 else SELDOM)


class Tree:
    """This process and all below it."""

    def __init__(self) -> None:
        import psutil

        self._self = psutil.Process()
        self._all: list[psutil.Process] = []
        self._ended: set[int] = set()
        self._measured = 0.0
        self._seconds: dict[psutil.Process, float] = {}

    def look(self) -> float:
        """Resident megabytes of all, counting twice what two of them share."""
        import psutil

        self._all = [self._self, *self._self.children(recursive=True)]
        self._reap()
        used = 0
        for process in self._all:
            with suppress(psutil.Error):
                used += process.memory_info().rss
        return used / MEGABYTE

    def own_mb(self) -> float:
        """Megabytes of all, counting once what they share. Much slower."""
        import psutil

        used = 0
        for process in self._all:
            with suppress(psutil.Error):
                memory = process.memory_full_info()
                used += getattr(memory, "pss", memory.uss)  # macOS does not know how many share a page
        return used / MEGABYTE

    def cpu_percent(self, now: float) -> float:
        """Of one core, since the last call."""
        import psutil

        before, self._seconds = self._seconds, {}
        for process in self._all:
            with suppress(psutil.Error):
                times = process.cpu_times()
                self._seconds[process] = times.user + times.system
        spent = sum(seconds - before.get(process, 0.0) for process, seconds in self._seconds.items())
        elapsed, self._measured = now - self._measured, now
        return round(100 * spent / elapsed, 1) if before else 0.0

    def _reap(self) -> None:
        """Take leave of orphans that ended as our children. Those we started are waited for before the second look."""
        ended = {process.pid for process in self._all if _is_zombie(process)}
        for pid in ended & self._ended:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        self._ended = ended
        self._all = [process for process in self._all if process.pid not in ended]


def _is_zombie(process: "psutil.Process") -> bool:
    import psutil

    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
