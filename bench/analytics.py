"""Questions about a year of a million tasks: how soon and at what cost they are answered."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from threading import Event

import psutil

from bench import alone, history
from bench.figures import Figure, percentile
from bench.hub import KEY, Hub, running
from bench.load import Connection, request
from bench.questions import ENDLESS, PULL, QUARTER, QUESTIONS
from swarm_api.client import HubClient

TASKS = 1_000_000
ROUNDS = 9
LIMIT = 3_600.0
PULLED = 1_000_000
HEALTHS = 50  # a second
MB = 1_000_000
KEPT = {"SWARM_JOURNAL_DAYS": "0"}  # all events stay where they are


def measure(folder: Path, tasks: int = TASKS) -> Iterator[Figure]:
    (folder / "data").mkdir()
    rows = history.write(folder / "data" / "hub.db", tasks, _end_of_month_ms())
    with running(folder, **KEPT) as hub, _Memory(hub) as memory:
        begin = time.monotonic()
        _wait_for(hub, tasks)
        took = time.monotonic() - begin
        yield Figure(f"analytics: {rows:,} rows of use taken in", took, "s")
        yield Figure("analytics: rows of use taken in", rows / took, "per s")
        yield from memory.figures("while they are taken in")
    projection = folder / "data" / "analytics" / "swarm.duckdb"
    yield Figure("analytics: the hub's database, on disk", (folder / "data" / "hub.db").stat().st_size / MB, "MB")
    yield Figure("analytics: what is asked, on disk", projection.stat().st_size / MB, "MB")
    shutil.copy(projection, folder / "copy.duckdb")
    with running(folder, **KEPT) as hub, _Memory(hub) as memory:
        _wait_for(hub, tasks)
        yield from _metrics(hub)
        yield from _questions(hub, folder / "copy.duckdb")
        yield from memory.figures("while questions are answered")
    with running(folder, **KEPT) as hub, _Memory(hub) as memory:
        _wait_for(hub, tasks)
        yield from _pull(hub, min(PULLED, rows // 2))
        yield from memory.figures("while a million rows are pulled")
    with running(folder, **KEPT) as hub, _Memory(hub) as memory:
        _wait_for(hub, tasks)
        yield from _health(hub)
        yield from memory.figures("while four questions have no end")


def measure_tenth(folder: Path) -> Iterator[Figure]:
    return measure(folder, TASKS // 10)


def _metrics(hub: Hub) -> Iterator[Figure]:
    """The first answer of each kind, then the median of more: the hub remembers none of them."""
    for period, aim in (("day", 20), ("week", 20), ("month", None)):
        first, *others = (_exchange(hub, request("GET", f"/api/metrics?period={period}")) for _ in range(ROUNDS))
        yield Figure(f"metrics of a {period}, first", first, "ms")
        yield Figure(f"metrics of a {period}", median(others), "ms", at_most=aim)
    first, *others = (_exchange(hub, _question(QUARTER)) for _ in range(ROUNDS))
    yield Figure("cost by day and model of 90 days, first", first, "ms")
    yield Figure("cost by day and model of 90 days", median(others), "ms", at_most=300)


def _questions(hub: Hub, projection: Path) -> Iterator[Figure]:
    """In turn with DuckDB alone: other programs on this machine slow both."""
    pairs = {}
    with ProcessPoolExecutor(1, get_context("spawn"), alone.open_copy, (projection,)) as pool:
        for name, sql in QUESTIONS.items():
            times = [(_exchange(hub, _question(sql)), pool.submit(alone.ask, sql).result()) for _ in range(ROUNDS)]
            pairs[name] = tuple(map(min, zip(*times, strict=True)))  # those that nobody disturbed
    for name, (through, by_itself) in pairs.items():
        yield Figure(name, through, "ms")
        yield Figure(f"{name}, DuckDB alone", by_itself, "ms")
    through, by_itself = (sum(times) for times in zip(*pairs.values(), strict=True))
    yield Figure("ten questions, as many times DuckDB alone", through / by_itself, "", at_most=1.3)


def _pull(hub: Hub, rows: int) -> Iterator[Figure]:
    times = [asyncio.run(_to_frame(hub, rows)) for _ in range(3)]
    yield Figure(f"{rows:,} rows into a data frame, first", times[0], "s")
    yield Figure(f"{rows:,} rows into a data frame", min(times), "s", at_most=1)


async def _to_frame(hub: Hub, rows: int) -> float:
    """As a notebook does it."""
    import pandas as pd  # type: ignore[import-untyped]
    import pyarrow as pa  # type: ignore[import-untyped]

    async with HubClient(hub.url, KEY) as client:
        begin = time.monotonic()
        stream = await client.query_as("arrow", PULL, limit=rows)
        table = pa.ipc.open_stream(pa.py_buffer(stream)).read_all()
        frame = table.to_pandas(types_mapper=pd.ArrowDtype)
        took = time.monotonic() - begin
    assert len(frame) == rows
    return took


def _health(hub: Hub) -> Iterator[Figure]:
    """Alone first: what others do to this machine is in both."""
    yield Figure("/health beside nothing, p99", percentile(_waits(hub), 99), "ms")
    with ThreadPoolExecutor(4) as askers:
        asked = [askers.submit(_exchange, hub, _question(ENDLESS)) for _ in range(4)]
        time.sleep(1)
        waits = _waits(hub)
        assert not any(each.done() for each in asked)
    yield Figure("/health beside four questions without an end, p99", percentile(waits, 99), "ms", at_most=50)


def _waits(hub: Hub) -> list[float]:
    """From the moment at which each was to be asked, so that whoever waits behind another counts, too."""
    health = request("GET", "/health", credential=None)
    waits = []
    begin = time.monotonic()
    for due in (begin + at / HEALTHS for at in range(10 * HEALTHS)):
        time.sleep(max(0.0, due - time.monotonic()))
        waits.append((Connection(hub.address).exchange(health).answered - due) * 1000)
    return waits


class _Memory:
    """The most that the hub and its process that answers took, looked at often."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub.process
        self._most = {"hub": 0, "process that answers": 0}
        self._left = Event()
        self._watching = ThreadPoolExecutor(1)

    def __enter__(self) -> "_Memory":
        self._watching.submit(self._watch)
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._watching.shutdown()

    def figures(self, when: str) -> Iterator[Figure]:
        for (name, most), aim in zip(self._most.items(), (250, 512), strict=True):
            yield Figure(f"{name} {when}, RSS", most / 2**20, "MiB", at_most=aim)

    def _watch(self) -> None:
        while not self._left.wait(0.02):
            try:
                for name, processes in (("hub", [self._hub]), ("process that answers", self._hub.children())):
                    self._most[name] = max([self._most[name], *(each.memory_info().rss for each in processes)])
            except psutil.NoSuchProcess:
                continue


def _wait_for(hub: Hub, tasks: int) -> None:
    """Until all of them can be asked about."""
    deadline = time.monotonic() + LIMIT
    count = _question("SELECT count(*) FROM tasks")
    while time.monotonic() < deadline:
        answer = Connection(hub.address).exchange(count)
        if answer.status == 200:
            assert json.loads(answer.body)["rows"] == [[tasks]], answer.body
            return
        assert answer.status == 503, answer.body
        time.sleep(1)
    raise TimeoutError(f"not all was taken in after {LIMIT:g} s")


def _exchange(hub: Hub, asked: bytes) -> float:
    answer = Connection(hub.address).exchange(asked)
    assert answer.status in (200, 422), answer.body
    return answer.milliseconds


def _question(sql: str) -> bytes:
    return request("POST", "/api/query", json.dumps({"sql": sql, "limit": 100_000}).encode())


def _end_of_month_ms() -> int:
    """So that the day, the week and the month that are now have all their hours."""
    now = datetime.now(UTC)
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    return round((first + timedelta(days=39)).timestamp() * 1000)
