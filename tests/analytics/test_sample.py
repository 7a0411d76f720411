"""A made-up history is one that a hub could have had: its figures agree, and a hub goes on from it."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy import create_engine

from analytics.naive import Naive, projected
from hub.played import PlayedHub, played_hub
from swarm_api.ids import short
from swarm_hub.analytics.projection import Projection
from swarm_hub.analytics.source import Source
from swarm_hub.prices import Metered, Prices
from swarm_hub.sample.history import Sample, write_sample
from swarm_hub.spent import TOKENS
from swarm_hub.store.writer import wall_clock

in_module = pytest.mark.asyncio(loop_scope="module")
SMALL = Sample(until_ms=1_795_478_400_000, tasks=300, days=60)  # 2026-11-23T20:00:00Z


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, SMALL)
    return folder


@pytest.fixture
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "hub.db")) as database:
        yield database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlayedHub]:
    """One that goes on now from a sample that ends now."""
    folder = tmp_path_factory.mktemp("hub")
    async with played_hub(folder) as empty:
        data = empty.parts.settings.data_dir
    for file in data.glob("*.db*"):
        file.unlink()
    write_sample(data, Sample(until_ms=wall_clock(), tasks=300, days=60))
    async with played_hub(folder) as hub:
        yield hub


def _sum(database: sqlite3.Connection, query: str) -> int:
    ((found,),) = database.execute(query).fetchall()
    return int(found)


def test_calls_agents_tasks_and_what_is_spent_agree_to_the_micro_dollar(database: sqlite3.Connection) -> None:
    calls = _sum(database, "SELECT sum(cost_micro_usd) FROM model_calls")
    assert calls > 0
    assert _sum(database, "SELECT sum(cost_micro_usd) FROM tasks") == calls
    assert _sum(database, "SELECT sum(cost_micro_usd) FROM agents") == calls
    assert _sum(database, "SELECT sum(micro_usd) FROM spent WHERE label = ''") == calls
    assert _sum(database, "SELECT sum(micro_usd) FROM spent WHERE label GLOB 'team=*'") == calls


def test_every_call_costs_what_the_price_table_says(database: sqlite3.Connection) -> None:
    prices = Prices.load()
    database.row_factory = sqlite3.Row
    for call in database.execute(
        "SELECT *, date(asked_ms / 1000, 'unixepoch') AS day FROM model_calls WHERE status = 200"
    ):
        used = Metered(**{name: call[name] for name in TOKENS})
        assert prices.cost(call["model"], used, date.fromisoformat(call["day"])).micro_usd == call["cost_micro_usd"]


def test_it_has_tasks_in_all_final_states_and_none_that_a_hub_would_start(database: sqlite3.Connection) -> None:
    states = {state for (state,) in database.execute("SELECT DISTINCT status FROM tasks")}
    assert states == {"pending", "completed", "failed", "cancelled"}
    assert _sum(database, "SELECT count(*) FROM tasks WHERE status = 'pending' AND hold = 0 AND waiting_on = 0") == 0
    assert _sum(database, "SELECT count(*) FROM agents WHERE released = 0") == 0


def test_the_journal_is_in_the_order_of_time(database: sqlite3.Connection) -> None:
    events = database.execute("SELECT seq, at_ms FROM events ORDER BY seq").fetchall()
    assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
    times = [at_ms for _, at_ms in events]
    assert times == sorted(times)
    assert times[-1] < SMALL.until_ms


def test_short_ids_tell_its_tasks_apart(database: sqlite3.Connection) -> None:
    ids = [id_ for (id_,) in database.execute("SELECT id FROM tasks")]
    assert len({short(id_) for id_ in ids}) == len(ids)


def test_weekends_are_quiet(database: sqlite3.Connection) -> None:
    weekend = "SELECT count(*) FROM tasks WHERE strftime('%w', created_ms / 1000, 'unixepoch') IN ('0', '6')"
    assert _sum(database, weekend) < 0.15 * SMALL.tasks


def test_the_same_seed_gives_the_same(folder: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, SMALL)
    with closing(sqlite3.connect(folder / "hub.db")) as one, closing(sqlite3.connect(tmp_path / "hub.db")) as other:
        assert list(one.iterdump()) == list(other.iterdump())


def test_a_folder_with_a_hub_in_it_is_left_alone(folder: Path) -> None:
    with pytest.raises(FileExistsError, match=r"hub\.db exists"):
        write_sample(folder, SMALL)


def test_the_projection_of_it_is_what_a_naive_look_gives(tmp_path: Path) -> None:
    write_sample(tmp_path, Sample(until_ms=SMALL.until_ms, tasks=40, days=7, seed=3))
    zone, engine = ZoneInfo("UTC"), create_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    with (
        closing(Source(tmp_path / "hub.db", zone)) as source,
        closing(Projection.open(tmp_path, zone.key, tmp_path / "archive")) as projection,
        engine.connect() as connection,
    ):
        while True:
            changes = source.changes(projection.cursor, projection.left, projection.log_heads)
            assert projection.apply(changes)
            if not changes.more:
                break
        naive = Naive(connection, zone).tables()
        with projection.connection() as shown:
            found = projected(shown)
    engine.dispose()
    assert {used[-1] for used in found["usage"]} == {"metered"}  # nothing that no call explains
    same = ("labels", "dependencies", "agents", "usage", "spending", "events", "log_volume", "projection")
    for name in same:
        assert (name, list(found[name] - naive[name]), list(naive[name] - found[name])) == (name, [], [])


@in_module
async def test_a_hub_goes_on_from_it_and_starts_nothing(hub: PlayedHub) -> None:
    listed = await hub.client.tasks(limit=200, status=["pending"])
    assert {blocked.reason for task in listed.tasks for blocked in task.blocked_by} == {"hold", "dependency"}
    assert (await hub.client.agents(active=True)).agents == []


@in_module
async def test_metrics_budget_tasks_and_questions_agree(hub: PlayedHub) -> None:
    cost = sum([task.cost_micro_usd async for task in hub.client.all_tasks()])
    asked = await hub.client.query("SELECT sum(cost_micro_usd), (SELECT sum(cost_micro_usd) FROM tasks) FROM usage")
    assert asked.rows == [[cost, cost]]
    budget, metrics = await hub.client.budget(), await hub.client.metrics("day")
    assert metrics.cost_this_week == (budget.weekly.spent_cents)
    assert metrics.cost_today == budget.daily.spent_cents
