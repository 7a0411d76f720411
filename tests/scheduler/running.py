"""A scheduler that runs, on the real store and an executor in this process, in a time that only the test moves on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Row, func, select

from scheduler.gate import callbacks
from scheduler.inprocess import Moody
from scheduler.money import DEFAULTS, PRICES, RICH
from swarm_api.tasks import TaskIn
from swarm_api.words import LIVE, ResultStatus
from swarm_api.worker import ResultReport, Upstream
from swarm_executors.protocol import Launch
from swarm_hub import claims, intake, retries, transitions
from swarm_hub.claims import Claimed, Place
from swarm_hub.executors import Executors
from swarm_hub.ingest import ingest
from swarm_hub.orders import claim_order
from swarm_hub.reports import Reports
from swarm_hub.scheduler import Scheduler
from swarm_hub.settings import Settings
from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices, Transaction

HUB_ID = "the-hub"
T = TypeVar("T")
Work = Callable[[Transaction], object]
t, a = schema.tasks.c, schema.agents.c


class Time:
    """The time of the store and of the event loop."""

    def __init__(self) -> None:
        self.seconds = 1_770_000_000.0
        self.asleep = 0.0  # seconds that passed without the event loop

    def now_ms(self) -> int:
        return round((self.seconds + self.asleep) * 1000)

    def loop_time(self) -> float:
        return self.seconds


class Hub:
    """What a test does to a scheduler, and what it sees of it. Tasks are called by their names."""

    def __init__(self, store: Store, executor: Moody, time: Time, capacity: int) -> None:
        self.store = store
        self.executor = executor
        place = Place(executor.name, executor.region, capacity, RICH)
        self.scheduler = Scheduler(store, Executors({executor.name: executor}), _launch, place, PRICES, HUB_ID)
        self._time = time
        self._committed = asyncio.Event()
        store.listen(self._hear)

    async def submit(self, *names: str, **fields: Any) -> None:
        drafts = intake.draft([TaskIn(prompt=f"do {name}", name=name, **fields) for name in names])
        await self.store.write(lambda tx: intake.create(tx, drafts, DEFAULTS, ""))

    async def begin(self, name: str) -> None:
        """The worker of a task takes its order."""
        agent_id = (await self.task(name)).agent_id
        await self.store.write(lambda tx: claim_order(tx, agent_id, "the-only-worker", Settings(), Upstream()))

    async def end(self, name: str, status: ResultStatus = "success", code: str | None = None) -> None:
        """The worker of a task takes its order and reports its end."""
        await self.begin(name)
        await self.store.write(await self.last_words(name, status, code))

    async def last_words(self, name: str, status: ResultStatus = "success", code: str | None = None) -> Work:
        agent_id = (await self.task(name)).agent_id
        result = Reports(reports=[ResultReport(n=1, status=status, error_code=code)])
        return lambda tx: ingest(tx, agent_id, result, RICH)

    async def cancel(self, name: str) -> None:
        task_id = (await self.task(name)).id
        await self.store.write(lambda tx: transitions.cancel(tx, task_id))

    async def retry(self, name: str) -> None:
        task_id = (await self.task(name)).id
        await self.store.write(lambda tx: retries.retry(tx, task_id, fresh=False))

    async def execute(self, name: str) -> None:
        task_id = (await self.task(name)).id
        self.scheduler.start(await self.store.write(lambda tx: claims.execute(tx, task_id, self.scheduler.place)))

    async def pass_by(self, seconds: float) -> None:
        """Let time pass at once, and the scheduler look around after it."""
        self._time.seconds += seconds
        await callbacks()
        await self.scheduler.watch()

    async def until(self, holds: Callable[[], Awaitable[T | None]]) -> T:
        """What `holds` gives, once it gives something true. It is asked again after each commit."""
        while True:
            committed = self._committed
            if value := await holds():
                return value
            await committed.wait()

    async def becomes(self, name: str, status: str) -> Row[Any]:
        """A task, once it has that status."""

        async def holds() -> Row[Any] | None:
            task = await self.task(name)
            return task if task.status == status else None

        return await self.until(holds)

    async def attempt(self, name: str, number: int = 1) -> Row[Any]:
        """An agent of a task, once its worker was started."""

        async def holds() -> Row[Any] | None:
            agents = await self.agents(name)
            return agents[number - 1] if len(agents) >= number and agents[number - 1].handle else None

        return await self.until(holds)

    async def released(self, name: str) -> None:
        """Wait until nothing is left of any agent of a task."""

        async def holds() -> bool:
            return all(agent.released for agent in await self.agents(name))

        await self.until(holds)

    async def task(self, name: str) -> Row[Any]:
        return await self.store.read(lambda c: c.execute(select(schema.tasks).where(t.name == name)).one())

    async def agents(self, name: str) -> list[Row[Any]]:
        """Of a task, in the order of their attempts."""
        query = select(schema.agents).join(schema.tasks, a.task_id == t.id).where(t.name == name).order_by(a.attempt)
        return list(await self.store.read(lambda c: c.execute(query).all()))

    async def live(self) -> int:
        """How many agents live."""
        query = select(func.count()).where(a.status.in_(LIVE))
        return await self.store.read(lambda c: c.execute(query).scalar_one())

    def _hear(self, _notices: Notices) -> None:
        self._committed.set()
        self._committed = asyncio.Event()  # for the next commit


@asynccontextmanager
async def running_hub(folder: Path, executor: Moody, time: Time, capacity: int = 10) -> AsyncIterator[Hub]:
    """A hub until the end of the block. The same folder and place again are the same hub, restarted."""
    async with Store(folder / "hub.db", clock=time.now_ms) as store:
        hub = Hub(store, executor, time, capacity)
        running = asyncio.create_task(hub.scheduler.run())
        try:
            yield hub
        finally:
            running.cancel()
            await asyncio.wait([running])


def _launch(claimed: Claimed) -> Launch:
    return Launch(claimed.agent_id, HUB_ID, "http://127.0.0.1:3000", "a-token", claimed.tier)
