"""The scheduler alone: real store, an executor whose workers are done at once, no HTTP and no processes."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figures import Figure
from bench.tasks import prompts
from swarm_api.tasks import TaskIn
from swarm_api.worker import ResultReport, Upstream
from swarm_executors.protocol import Handle, Launch, Observation
from swarm_hub.budgets.budgets import Budgets
from swarm_hub.budgets.limits import Limits
from swarm_hub.claims import Claimed, Place
from swarm_hub.executors import Executors
from swarm_hub.ingest import ingest
from swarm_hub.intake import Defaults, create, draft
from swarm_hub.orders import claim_order
from swarm_hub.prices import Prices
from swarm_hub.reports import Reports
from swarm_hub.scheduler import Scheduler
from swarm_hub.settings import UTC, Settings
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices

TASKS = 2_000
CAPACITY = 20
LIMIT = 60.0
PLENTY = 100_000_000  # cents
RICH = Budgets(UTC, Limits(PLENTY, PLENTY))
DEFAULTS = Defaults(timeout_minutes=60, budget_cents=500)


class AtOnce:
    """An executor whose worker claims its order and reports success as soon as it is started."""

    name = "local"
    region: str | None = None
    poll_every = 1.0

    def __init__(self, store: Store, group: asyncio.TaskGroup) -> None:
        self._store = store
        self._group = group
        self._started: set[str] = set()
        self._working: set[str] = set()

    async def start(self, launch: Launch) -> Handle:
        if launch.agent_id not in self._started:
            self._started.add(launch.agent_id)
            self._working.add(launch.agent_id)
            self._group.create_task(self._work(launch.agent_id))
        return {"agentId": launch.agent_id}

    async def poll(self, handle: Handle) -> Observation:
        return Observation("alive" if handle["agentId"] in self._working else "exited")

    async def stop(self, handle: Handle, grace: float) -> None:
        return

    async def list(self, hub_id: str) -> Sequence[Handle]:
        return []

    async def ready(self) -> str:
        return ""

    async def aclose(self) -> None:
        return

    async def _work(self, agent_id: str) -> None:
        result = Reports(reports=[ResultReport(n=1, status="success")])
        await self._store.write(lambda tx: claim_order(tx, agent_id, "incarnation", Settings(), Upstream()))
        await self._store.write(lambda tx: ingest(tx, agent_id, result, RICH))
        self._working.remove(agent_id)


def measure(folder: Path) -> Iterator[Figure]:
    took = asyncio.run(_seconds(folder / "hub.db"))
    yield Figure(f"the scheduler alone, {TASKS:,} tasks", TASKS / took, "per s", at_least=1_000)


async def _seconds(path: Path) -> float:
    async with Store(path) as store, asyncio.TaskGroup() as group:
        drafts = draft([TaskIn(prompt=prompt) for prompt, _ in zip(prompts(9), range(TASKS), strict=False)])
        await store.write(lambda tx: create(tx, drafts, DEFAULTS, "tasks."))
        done = _count_endings(store)
        place = Place("local", None, CAPACITY, RICH)
        executors = Executors({"local": AtOnce(store, group)})
        scheduler = Scheduler(store, executors, _launch, place, Prices.load(), "the-hub")
        begin = time.monotonic()
        running = asyncio.create_task(scheduler.run())
        async with asyncio.timeout(LIMIT):
            await done.wait()
        took = time.monotonic() - begin
        running.cancel()
        await asyncio.wait([running])
        return took


def _count_endings(store: Store) -> asyncio.Event:
    """Set when every task has completed."""
    done = asyncio.Event()
    left = TASKS

    def hear(notices: Notices) -> None:
        nonlocal left
        left -= sum(event.type == "task_completed" for event in notices.events)
        if left == 0:
            done.set()

    store.listen(hear)
    return done


def _launch(claimed: Claimed) -> Launch:
    return Launch(claimed.agent_id, "bench", "http://127.0.0.1", "", claimed.tier)
