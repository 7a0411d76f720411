"""An executor whose workers live in this process: a place, what runs there, and the hub's hand on it."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from swarm_api import ids
from swarm_executors.protocol import ExecutorError, Handle, Launch, NoCapacity, Observation, StartFailed

KILLED = 137
STOPPED = 143


class Worker:
    """It runs until it ends by itself, saves its work when asked to stop, or is killed."""

    def __init__(self, launch: Launch, listens: bool) -> None:
        self.agent_id = launch.agent_id
        self.hub_id = launch.hub_id
        self.saved = False
        self._listens = listens
        self._ended = asyncio.Event()
        self._exit_code: int | None = None

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    @property
    def observation(self) -> Observation:
        if self.running:
            return Observation("alive")
        return Observation("exited", self._exit_code, f"exit code {self._exit_code}")

    def exit(self, code: int) -> None:
        if self.running:
            self._exit_code = code
            self._ended.set()

    async def stop(self, grace: float) -> None:
        if self.running and self._listens:
            self.saved = True
            self.exit(STOPPED)
        try:
            async with asyncio.timeout(grace):
                await self._ended.wait()
        except TimeoutError:
            self.exit(KILLED)


class Place:
    """What runs, whichever hub or executor comes and goes. `Place` of the conformance suite."""

    def __init__(self) -> None:
        self.workers: dict[str, Worker] = {}
        self._starts: dict[str, int] = defaultdict(int)

    def executor(self) -> "InProcess":
        return InProcess(self)

    def stubborn(self) -> "InProcess":
        return InProcess(self, listens=False)

    def broken(self) -> "InProcess":
        return InProcess(self, broken=True)

    async def is_ready(self, handle: Handle) -> None:
        assert handle["agentId"] in self.workers

    def starts(self, agent_id: str) -> int:
        return self._starts[agent_id]

    def is_running(self, agent_id: str) -> bool:
        return agent_id in self.workers and self.workers[agent_id].running

    def has_saved(self, agent_id: str) -> bool:
        return self.workers[agent_id].saved

    def finish(self, handle: Handle, exit_code: int) -> None:
        self.workers[handle["agentId"]].exit(exit_code)

    def lose(self, handle: Handle) -> None:
        self.workers.pop(handle["agentId"]).exit(KILLED)

    def unknown(self) -> Handle:
        return {"agentId": ids.new_agent_id("local")}

    def run(self, worker: Worker) -> None:
        self.workers[worker.agent_id] = worker
        self._starts[worker.agent_id] += 1


class InProcess:
    """The executor of one hub. It keeps nothing that another one would not find in the place."""

    name = "local"
    region: str | None = None
    poll_every = 1.0

    def __init__(self, place: Place, listens: bool = True, broken: bool = False) -> None:
        self._place = place
        self._listens = listens
        self._broken = broken

    async def start(self, launch: Launch) -> Handle:
        if self._broken:
            raise StartFailed(f"{launch.agent_id} cannot be started here")
        if launch.agent_id not in self._place.workers:
            self._place.run(Worker(launch, self._listens))
        return {"agentId": launch.agent_id}

    async def poll(self, handle: Handle) -> Observation:
        worker = self._place.workers.get(handle["agentId"])
        return worker.observation if worker else Observation("lost", detail="nobody here knows it")

    async def stop(self, handle: Handle, grace: float) -> None:
        if worker := self._place.workers.get(handle["agentId"]):
            await worker.stop(grace)

    async def list(self, hub_id: str) -> Sequence[Handle]:
        ours = [worker for worker in self._place.workers.values() if worker.hub_id == hub_id and worker.running]
        return [{"agentId": worker.agent_id} for worker in ours]

    async def ready(self) -> str:
        return ""

    async def aclose(self) -> None:
        return


class Moody(InProcess):
    """One that fails or hangs in the call that a test says, as long as it says so; `calls` counts them all."""

    def __init__(self, place: Place, listens: bool = True) -> None:
        super().__init__(place, listens)
        self.calls: list[tuple[str, str]] = []
        self.refusing = False  # to start anything at all
        self.full = ""  # its word: there is no room for anybody
        self.breaking = False  # its word: it raises what no executor may
        self.failing: set[str] = set()
        self.hanging: set[str] = set()
        self._going = asyncio.Event()
        self._called = asyncio.Event()

    async def start(self, launch: Launch) -> Handle:
        await self._meet("start", launch.agent_id)
        if self.refusing:
            raise StartFailed(f"{launch.agent_id} cannot be started here")
        if self.full:
            raise NoCapacity(self.full)
        handle = await super().start(launch)
        await self._meet("start is done", launch.agent_id)
        return handle

    async def poll(self, handle: Handle) -> Observation:
        await self._meet("poll", handle["agentId"])
        return await super().poll(handle)

    async def stop(self, handle: Handle, grace: float) -> None:
        await self._meet("stop", handle["agentId"])
        await super().stop(handle, grace)

    async def called(self, call: str) -> str:
        """Wait until the call was made for the first time; for which agent."""
        while call not in (known := dict(self.calls)):
            self._called.clear()
            await self._called.wait()
        return known[call]

    def let_go(self, call: str) -> None:
        """Calls that hang go on, as if nothing had been."""
        self.hanging.remove(call)
        self._going.set()

    async def _meet(self, call: str, agent_id: str) -> None:
        self.calls.append((call, agent_id))
        self._called.set()
        if self.breaking:
            raise ZeroDivisionError
        if call in self.failing:
            raise ExecutorError(f"{call} failed for now")
        if call in self.hanging:
            await self._going.wait()
