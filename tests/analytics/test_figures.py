"""The figures of a period equal those counted one by one, wherever its steps begin and clocks are set."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from swarm_hub.analytics.figures import Asked, figures, step_of
from swarm_hub.analytics.metrics import spans_of, steps_of
from swarm_hub.analytics.tables import ddl

HOUR_MS = 3_600_000
TOKENS = "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"
Row = dict[str, Any]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for statement in ddl():
            connection.execute(statement)
        yield connection


@pytest.mark.parametrize("period", ["day", "week", "month"])
@pytest.mark.parametrize(
    ("zone", "now"),
    [
        ("UTC", "2026-02-18T15:00:00Z"), ("Asia/Kathmandu", "2026-02-18T15:00:00Z"),
        ("Europe/Berlin", "2026-03-29T01:30:00Z"), ("Europe/Berlin", "2027-10-31T12:00:00Z"),  # a month's last day
        ("Australia/Lord_Howe", "2026-04-04T20:00:00Z"), ("Africa/Casablanca", "2026-03-22T12:00:00Z"),
    ],
)  # fmt: skip
def test_figures_are_those_counted_one_by_one(
    connection: duckdb.DuckDBPyConnection, period: Any, zone: str, now: str
) -> None:
    asked = _asked(period, now, zone)
    tasks, usage, agents = _fill(connection, asked)
    told = figures(connection, asked)
    for name, span in (("period", asked.period), ("previous", asked.previous)):
        used = [row for row in usage if _within(row["ended_at"], span)]
        assert _amounts(told[name]["used"]["all"]) == _sums(used, lambda _: ""), name
        assert told[name]["agents"] == sum(_within(row["claimed_at"], span) for row in agents)
        for kind, time in (("created", "created_at"), ("finished", "finished_at")):
            those = [row for row in tasks if row[time] and _within(row[time], span)]
            assert _counted(told[name][kind]["all"]) == Counter(("", row["status"]) for row in those)
            if name == "period":
                _compare_parts(told[name][kind], those, asked, time)
    _compare_use(told["period"]["used"], [row for row in usage if _within(row["ended_at"], asked.period)], asked)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"])
@pytest.mark.parametrize("month", range(1, 13))
def test_every_moment_lies_in_the_step_that_it_is_of(zone: str, month: int) -> None:
    for period in ("day", "month"):
        asked = _asked(period, f"2027-{month:02}-28T12:00:00Z", zone)
        edges = [at + more for at in (*asked.steps, asked.period[1]) for more in (-1, 0, 1)]
        moments = [at for at in edges if _within(at, asked.period)]
        of = step_of("make_timestamptz(moment * 1000)", asked.steps, asked.period[1])
        found = duckdb.execute(f"SELECT {of} FROM (SELECT unnest(?) AS moment)", [moments]).fetchall()  # noqa: S608
        assert [step for (step,) in found] == [_step(at, asked) for at in moments]


def test_where_nothing_happened_all_is_nothing() -> None:
    with duckdb.connect() as empty:
        for statement in ddl():
            empty.execute(statement)
        told = figures(empty, _asked("week", "2026-02-18T15:00:00Z", "UTC"))
    assert (told["period"]["agents"], told["period"]["durations"]) == (0, [None, None])
    assert not any(told["period"]["used"].values())
    assert told["previous"]["used"]["all"] == [("", 0, 0, 0, 0, 0, 0, 0)]


def _asked(period: Any, now: str, zone: str) -> Asked:
    spans = spans_of(period, round(datetime.fromisoformat(now).timestamp() * 1000), ZoneInfo(zone))
    return Asked(spans.period, spans.previous, steps_of(period, spans.period, ZoneInfo(zone)))


def _fill(connection: duckdb.DuckDBPyConnection, asked: Asked) -> tuple[list[Row], list[Row], list[Row]]:
    """Tasks, usage and agents at random times in both spans, around them, and on every edge."""
    draw = random.Random(asked.period[0])  # noqa: S311  # no secret
    edges = [at + more for at in (*asked.previous, *asked.period, *asked.steps) for more in (-1, 0)]
    span = asked.previous[0] - HOUR_MS, asked.period[1] + HOUR_MS
    times = [*edges, *(draw.randrange(*span) for _ in range(300))]
    named = [{"type": draw.choice(["code", "docs"]), "repo": draw.choice([None, "a/b", "c'd/e"])} for _ in times]
    usage = [
        {**name, "model": draw.choice(["m", "n"]), "ended_at": at, "cost_micro_usd": draw.randrange(2**40),
         **{token: draw.randrange(9_999) for token in TOKENS}}
        for at, name in zip(times, named, strict=True)
    ]  # fmt: skip
    tasks = [
        {**name, "status": draw.choice(["completed", "failed", "pending"]), "created_at": at,
         "finished_at": draw.choice([None, at, at + HOUR_MS]), "duration_ms": draw.randrange(9_999)}
        for at, name in zip(times, named, strict=True)
    ]  # fmt: skip
    agents: list[Row] = [{"claimed_at": at} for at in times]
    for table, rows in (
        ("kept.metered", usage[::2]),
        ("kept.reported", usage[1::2]),
        ("tasks", tasks),
        ("agents", agents),
    ):
        _put(connection, table, rows)
    return tasks, usage, agents


def _put(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    values = ", ".join(
        f"make_timestamptz(unnest(${name}) * 1000)" if name.endswith("_at") else f"unnest(${name})" for name in columns
    )
    connection.execute(f"DELETE FROM {table}")  # noqa: S608
    connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}", columns)


def _compare_use(told: dict[str, Any], used: list[Row], asked: Asked) -> None:
    assert _amounts(told["model"]) == _sums(used, lambda row: row["model"])
    for name, key in _parts(asked, "ended_at").items():
        assert _amounts(told[name]) == {of: sums[:2] for of, sums in _sums(used, key).items()}, name


def _compare_parts(told: dict[str, Any], those: list[Row], asked: Asked, time: str) -> None:
    for name, key in _parts(asked, time).items():
        assert _counted(told[name]) == Counter((key(row), row["status"]) for row in those), name


def _parts(asked: Asked, time: str) -> dict[str, Callable[[Row], Any]]:
    return {
        "type": lambda row: row["type"],
        "repo": lambda row: row["repo"] or "",
        "step": lambda row: _step(row[time], asked),
    }


def _amounts(rows: list[Any]) -> dict[Any, tuple[int, ...]]:
    assert len({row[0] for row in rows}) == len(rows)
    return {of: tuple(amounts) for of, *amounts in rows}


def _counted(rows: list[Any]) -> Counter[Any]:
    assert len({tuple(row[:2]) for row in rows}) == len(rows)
    return Counter({(of, status): tasks for of, status, tasks in rows})


def _sums(rows: list[Row], key: Callable[[Row], Any]) -> dict[Any, tuple[int, ...]]:
    sums: dict[Any, tuple[int, ...]] = {}
    for row in rows:
        more = (1, row["cost_micro_usd"], *(row[token] for token in TOKENS))
        sums[key(row)] = tuple(map(sum, zip(sums.get(key(row), (0,) * 7), more, strict=True)))
    return sums


def _step(at: int, asked: Asked) -> int:
    return sum(begin <= at for begin in asked.steps) - 1


def _within(at: int, span: Any) -> bool:
    return bool(span[0] <= at < span[1])
