"""Workers as processes of this machine, which outlive the hub that started them (docs/decisions/0010)."""

import asyncio
import errno
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from swarm_api import ids
from swarm_executors.processes import send
from swarm_executors.protocol import ExecutorError, Handle, Launch, Observation, StartFailed
from swarm_executors.workers import Worker, Workers

# Nothing here limits a worker's memory. RLIMIT_AS counts what is reserved, and JavaScript engines reserve far more than
# they use; RLIMIT_RSS does nothing on Linux and macOS; a cgroup needs rights that a user does not have everywhere. So
# the worker watches the memory of its own tree, and the system's out-of-memory killer stands behind it.

LOOK_AGAIN = 0.02
THREADS = 8
PASSING = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""A machine that has no room for another process now may have it later."""
T = TypeVar("T")


class LocalExecutor:
    """Runs workers in `<data_dir>/agents/<agent id>`, which must be on a disk of this machine: the locks need it."""

    name = "local"
    region: str | None = None
    poll_every = 1.0

    def __init__(self, data_dir: Path, command: Sequence[str] | None = None) -> None:
        """`command` starts with an absolute path: the worker runs in its own folder."""
        program = (str(Path(sys.executable).with_name("swarm-worker")),)
        self._workers = Workers(data_dir / "agents", command or program)
        self._threads = ThreadPoolExecutor(THREADS, "local-executor")
        self._alive: dict[str, Worker] = {}
        self._watch: asyncio.Task[None] | None = None

    async def start(self, launch: Launch) -> Handle:
        if not ids.AGENT_ID.fullmatch(launch.agent_id):
            raise StartFailed(f"{launch.agent_id!r} is no agent's id")
        try:
            worker = await self._in_thread(lambda: self._workers.start(launch))
        except OSError as err:
            failure = ExecutorError if err.errno in PASSING else StartFailed
            raise failure(f"{launch.agent_id} cannot be started: {err}") from err
        self._keep(worker)
        return worker.handle

    async def poll(self, handle: Handle) -> Observation:
        worker = Worker.of(handle)
        try:
            if self._workers.live(worker):
                self._keep(worker)
                return Observation("alive")
            end = await self._in_thread(lambda: self._workers.bury(worker))
        except OSError as err:
            # Too many open files, say. Nothing is known of the worker then, least of all that it is dead.
            return Observation("unknown", detail=str(err))
        self._alive.pop(worker.agent_id, None)
        return end

    async def stop(self, handle: Handle, grace: float) -> None:
        worker = Worker.of(handle)
        try:
            # Looked at before anybody is asked: one without the cookie is known by its parent, as long as that lives.
            tree = await self._in_thread(lambda: self._workers.tree(worker))
            await self._ask(worker, grace)
            left = await self._in_thread(lambda: self._workers.end(worker, tree))
        except OSError as err:
            raise ExecutorError(f"{worker.agent_id} cannot be stopped: {err}") from err
        if left:
            raise ExecutorError(f"{worker.agent_id} has processes that do not die: {left}")

    async def list(self, hub_id: str) -> Sequence[Handle]:
        try:
            workers = await self._in_thread(lambda: self._workers.running(hub_id))
        except OSError as err:
            raise ExecutorError(f"the workers cannot be listed: {err}") from err
        for worker in workers:
            self._keep(worker)
        return [worker.handle for worker in workers]

    async def ready(self) -> str:
        return ""

    async def aclose(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await asyncio.to_thread(self._threads.shutdown)

    async def _ask(self, worker: Worker, grace: float) -> None:
        """Ask the worker alone, which ends its own tree in good order, and wait until it has ended.

        What it leaves behind gets no grace: nobody is left to keep its work.
        """
        process = self._workers.live(worker)
        if process is None:
            return
        send(process, signal.SIGTERM)
        send(process, signal.SIGCONT)  # one that was stopped would not hear the first
        deadline = time.monotonic() + grace
        while self._workers.live(worker):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(LOOK_AGAIN)

    def _keep(self, worker: Worker) -> None:
        """See to it that the worker is buried when it ends, whether or not anybody asks for it again."""
        self._alive[worker.agent_id] = worker
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._keep_watch(), name="local-executor")

    async def _keep_watch(self) -> None:
        while self._alive:
            await asyncio.sleep(self.poll_every)
            for worker in tuple(self._alive.values()):
                await self.poll(worker.handle)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
