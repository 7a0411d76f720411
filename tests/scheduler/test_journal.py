"""The journal and the logs on the real store: readers that come late, dawdle and leave while others write."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from scheduler.inprocess import Moody, Place
from scheduler.money import RICH
from scheduler.running import Hub, Time, Work, running_hub
from swarm_api.worker import LogReport, ResultReport
from swarm_hub import journal
from swarm_hub.ingest import ingest
from swarm_hub.journal import Journal, Logs
from swarm_hub.reports import Reports
from swarm_hub.store.store import Store
from swarm_hub.tail import Follower

WRITERS = 6
EACH = 40
TOTAL = WRITERS * EACH
READERS = 8

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers fall behind what is kept in memory, and read from the store in several pages."""
    monkeypatch.setattr(journal, "KEEP_EVENTS", 16)
    monkeypatch.setattr(journal, "KEEP_LINES", 16)
    monkeypatch.setattr(journal, "PAGE", 7)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "hub.db") as store:
        yield store


async def dawdle(random: Random) -> None:
    for _ in range(random.choice([0, 0, 1, 5, 50])):
        await asyncio.sleep(0)


async def read(follower: Follower, random: Random, until: int) -> list[int]:
    """The numbers of what a reader sees until it has seen that one, or until the end."""
    seen: list[int] = []
    while not seen or seen[-1] < until:
        batch = await follower.next()
        if batch is None:
            break
        seen += [entry.seq for entry in batch]
        await dawdle(random)
    return seen


@pytest.mark.parametrize("seed", range(5))
async def test_each_reader_of_the_journal_sees_each_event_once(store: Store, seed: int) -> None:
    random = Random(seed)  # noqa: S311  # a story, no secret
    events = Journal(store)

    async def write(name: str) -> None:
        for _ in range(EACH):
            await dawdle(random)
            await store.write(lambda tx: tx.event("task_created", name, {}))

    async def follow() -> None:
        await dawdle(random)
        after = random.randint(0, events.head)
        assert await read(await events.follow(after), random, TOTAL) == list(range(after + 1, TOTAL + 1))

    await asyncio.gather(*(write(f"writer {i}") for i in range(WRITERS)), *(follow() for _ in range(READERS)))


@pytest.mark.parametrize("seed", range(5))
async def test_each_reader_of_a_log_sees_each_line_once_to_the_end(
    tmp_path: Path, place: Place, time: Time, seed: int
) -> None:
    random = Random(seed)  # noqa: S311  # a story, no secret
    async with running_hub(tmp_path, Moody(place), time) as hub:
        logs = Logs(hub.store)
        await hub.submit("task")
        await hub.attempt("task")
        await hub.begin("task")
        task = await hub.task("task")

        async def follow() -> None:
            for _ in range(random.randint(0, 20)):
                await hub.task("task")  # some come when it is long over
            after = random.randint(0, TOTAL // 2)
            async with logs.follow(task.id, after) as follower:
                if random.random() < 0.3:
                    await follower.next()
                    return  # this one has seen enough
                assert await read(follower, random, TOTAL + 1) == list(range(after + 1, TOTAL + 1))

        await asyncio.gather(_work(hub, task.agent_id, random), *(follow() for _ in range(2 * READERS)))


async def _work(hub: Hub, agent_id: str, random: Random) -> None:
    """A worker says so many lines in batches, and ends."""
    n = 0
    while n < TOTAL:
        count = min(random.randint(1, 40), TOTAL - n)
        lines = [LogReport(n=n + i, stream="agent", text=f"line {n + i}") for i in range(1, count + 1)]
        await hub.store.write(_reporting(agent_id, Reports(reports=[*lines])))
        n += count
    await hub.store.write(_reporting(agent_id, Reports(reports=[ResultReport(n=n + 1, status="success")])))


def _reporting(agent_id: str, reports: Reports) -> Work:
    return lambda tx: ingest(tx, agent_id, reports, RICH)
