"""The metrics of a period, by figures worked out by hand."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_api.analytics import Done, Metrics
from swarm_hub.analytics.metrics import spans_of
from swarm_hub.budgets.spans import Span

BERLIN = ZoneInfo("Europe/Berlin")

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Wednesday 2026-02-18 in Berlin; two in the morning there is one in UTC.
NOW = "2026-02-18T15:00:00Z"
TASKS = (
    # id, type, repo, status, created, started, finished
    ("tsk_a", "code", "acme/shop", "completed", "2026-02-18T01:00:00Z", "2026-02-18T01:00:10Z", "2026-02-18T01:01:10Z"),
    ("tsk_b", "code", "acme/shop", "failed", "2026-02-17T23:30:00Z", "2026-02-18T01:00:00Z", "2026-02-18T01:10:00Z"),
    ("tsk_c", "docs", None, "completed", "2026-02-17T22:59:59Z", "2026-02-17T22:59:59Z", "2026-02-17T23:00:00Z"),
    ("tsk_d", "docs", None, "cancelled", "2026-02-18T14:00:00Z", None, "2026-02-18T14:30:00Z"),
    ("tsk_e", "docs", None, "pending", "2026-02-16T00:00:00Z", None, None),
    ("tsk_f", "code", "acme/api", "completed", "2026-02-12T12:00:00Z", "2026-02-12T12:00:00Z", "2026-02-12T12:00:30Z"),
    ("tsk_g", "code", "acme/api", "completed", "2026-01-31T22:59:00Z", "2026-01-31T23:00:00Z", "2026-01-31T23:00:01Z"),
)
CALLS = (
    # task, model, asked, ended, input, output, cost in micro-dollars
    ("tsk_a", "opus", "2026-02-18T01:00:20Z", "2026-02-18T01:00:30Z", 100, 10, 4_999),
    ("tsk_a", "haiku", "2026-02-18T01:00:31Z", "2026-02-18T01:00:40Z", 50, 5, 1),
    ("tsk_b", "opus", "2026-02-17T22:59:00Z", "2026-02-17T23:00:00Z", 7, 3, 30_000),  # counts where it ended
    ("tsk_c", "opus", "2026-02-17T22:59:00Z", "2026-02-17T22:59:59Z", 1, 1, 1_000_000),  # yesterday
    ("tsk_f", "opus", "2026-02-12T12:00:00Z", "2026-02-12T12:00:10Z", 9, 9, 250_000),  # the week before
    ("tsk_g", "opus", "2026-01-31T22:59:00Z", "2026-01-31T22:59:59Z", 2, 2, 70_000),  # the month before
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlayedHub]:
    with pytest.MonkeyPatch.context() as patch:
        async with played_hub(tmp_path_factory.mktemp("metrics"), time_zone=BERLIN) as hub:
            patch.setattr(hub.parts.store, "_clock", lambda: _ms(NOW))
            _fill(hub.parts.settings.data_dir / "hub.db")
            yield hub


def _fill(path: Path) -> None:
    with sqlite3.connect(path) as db:
        for at, (id_, type_, repo, status, *times) in enumerate(TASKS, 1):
            created, started, finished = (time and _ms(time) for time in times)
            db.execute(
                "INSERT INTO tasks (id, spec, prompt, status, type, model, priority, repo, hold, waiting_on, rank,"
                " live, attempts, tries, fresh, log_seq, cost_micro_usd, budget_micro_usd, compute_micro_usd, seq,"
                " created_ms, started_ms, finished_ms)"
                " VALUES (?, '{}', 'p', ?, ?, 'opus', 'low', ?, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, ?, ?, ?, ?)",
                (id_, status, type_, repo, at, created, started, finished),
            )  # fmt: skip
            db.execute("INSERT INTO events VALUES (?, 'task_created', ?, '{}', ?)", (at, id_, created))
        for at, (task, model, asked, ended, input_, output, cost) in enumerate(CALLS):
            db.execute(
                "INSERT INTO model_calls (id, agent_id, task_id, asked_ms, model, hold_micro_usd, ended_ms, status,"
                " input, output, cache_read, cache_write_5m, cache_write_1h, cost_micro_usd)"
                " VALUES (?, 'local-agent-00000000', ?, ?, ?, 0, ?, 200, ?, ?, 0, 0, 0, ?)",
                (f"call{at}", task, _ms(asked), model, _ms(ended), input_, output, cost),
            )
            db.execute(
                "INSERT INTO spent VALUES (?, '', ?)"
                " ON CONFLICT DO UPDATE SET micro_usd = micro_usd + excluded.micro_usd",
                (_ms(ended) // 900_000, cost),
            )
    db.close()


async def test_a_day_begins_at_midnight_in_the_hubs_time_zone(hub: PlayedHub) -> None:
    day = await hub.client.metrics()
    assert (day.period, day.time_zone) == ("day", "Europe/Berlin")
    assert (day.from_, day.to) == (_at("2026-02-17T23:00:00Z"), _at("2026-02-18T23:00:00Z"))
    assert (day.previous.from_, day.previous.to) == (_at("2026-02-16T23:00:00Z"), day.from_)


async def test_a_days_totals(hub: PlayedHub) -> None:
    totals = (await hub.client.metrics("day")).totals
    assert (totals.tasks, totals.completed, totals.failed, totals.cancelled) == (3, 2, 1, 1)
    assert (totals.requests, totals.input, totals.output) == (3, 157, 18)
    assert (totals.cost_micro_usd, totals.cost_cents) == (35_000, 4)  # 3.5 cents, rounded half up


async def test_the_day_before_stands_beside_it(hub: PlayedHub) -> None:
    totals = (await hub.client.metrics("day")).previous.totals
    assert (totals.tasks, totals.completed, totals.requests, totals.cost_micro_usd) == (1, 0, 1, 1_000_000)


async def test_what_is_now(hub: PlayedHub) -> None:
    now = await hub.client.metrics("month")
    assert (now.active_tasks, now.running_agents) == (1, 0)
    assert (now.completed_today, now.failed_today) == (2, 1)
    assert (now.cost_today, now.cost_this_week) == (4, 104)  # cents
    budget = await hub.client.budget()
    assert (budget.daily.spent_cents, budget.weekly.spent_cents) == (4, 104)


async def test_a_days_breakdown(hub: PlayedHub) -> None:
    day = await hub.client.metrics("day")
    assert {model: (used.requests, used.cost_micro_usd) for model, used in day.by_model.items()} == {
        "opus": (2, 34_999), "haiku": (1, 1),
    }  # fmt: skip
    assert {key: _counts(of) for key, of in day.by_type.items()} == {
        "code": (2, 1, 1, 0, 35_000), "docs": (1, 1, 0, 1, 0),
    }  # fmt: skip
    assert {key: (of.tasks, of.cost_cents) for key, of in day.by_repo.items()} == {"acme/shop": (2, 4), "": (1, 0)}
    assert day.by_status == {"completed": 1, "failed": 1, "cancelled": 1}


async def test_durations_and_success_are_of_those_that_completed_or_failed(hub: PlayedHub) -> None:
    day = await hub.client.metrics("day")  # 60 s, 600 s and 1 s
    assert (day.duration_ms.p50, day.duration_ms.p95) == (60_000, 546_000)
    assert day.success_rate == 0.6667


async def test_a_day_is_a_series_of_hours(hub: PlayedHub) -> None:
    series = (await hub.client.metrics("day")).series
    assert len(series) == 24
    assert (series[0].at, series[23].at) == (_at("2026-02-17T23:00:00Z"), _at("2026-02-18T22:00:00Z"))
    assert {at: _counts(point) for at, point in enumerate(series) if any(_counts(point))} == {
        0: (1, 1, 0, 0, 30_000), 2: (1, 1, 1, 0, 5_000), 15: (1, 0, 0, 1, 0),
    }  # fmt: skip


async def test_a_week_is_from_monday_and_a_series_of_days(hub: PlayedHub) -> None:
    week = await hub.client.metrics("week")
    assert (week.from_, week.to) == (_at("2026-02-15T23:00:00Z"), _at("2026-02-22T23:00:00Z"))
    assert [(point.tasks, point.cost_micro_usd) for point in week.series] == [
        (1, 0), (1, 1_000_000), (3, 35_000), (0, 0), (0, 0), (0, 0), (0, 0),
    ]  # fmt: skip
    assert (week.totals.tasks, week.totals.cost_micro_usd) == (5, 1_035_000)
    assert (week.previous.totals.tasks, week.previous.totals.cost_micro_usd) == (1, 250_000)


async def test_a_month_is_from_its_first_day(hub: PlayedHub) -> None:
    month = await hub.client.metrics("month")
    assert (month.from_, month.to) == (_at("2026-01-31T23:00:00Z"), _at("2026-02-28T23:00:00Z"))
    assert len(month.series) == 28
    assert (month.totals.tasks, month.totals.completed, month.totals.cost_micro_usd) == (6, 4, 1_285_000)
    assert (month.previous.totals.tasks, month.previous.totals.cost_micro_usd) == (1, 70_000)


@pytest.mark.parametrize("period", ["day", "week", "month"])
async def test_what_a_series_is_made_of_is_the_whole(hub: PlayedHub, period: str) -> None:
    told: Metrics = await hub.client.metrics(period)  # type: ignore[arg-type]
    for name in ("tasks", "completed", "failed", "cancelled", "cost_micro_usd"):
        assert sum(getattr(point, name) for point in told.series) == getattr(told.totals, name)
    assert sum(used.cost_micro_usd for used in told.by_model.values()) == told.totals.cost_micro_usd
    assert sum(of.cost_micro_usd for of in told.by_repo.values()) == told.totals.cost_micro_usd


async def test_sums_in_sql_are_those_of_the_budget(hub: PlayedHub) -> None:
    rows = (await hub.client.query("SELECT day, sum(cost_micro_usd) FROM usage GROUP BY 1 ORDER BY 1")).rows
    assert rows[-2:] == [["2026-02-17", 1_000_000], ["2026-02-18", 35_000]]
    spent = "SELECT day, sum(spent_micro_usd) FROM spending WHERE key IS NULL GROUP BY 1 ORDER BY 1"
    assert (await hub.client.query(spent)).rows == rows


async def test_a_hub_in_which_nothing_happened_has_metrics(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with played_hub(tmp_path_factory.mktemp("empty")) as empty:
        told = await empty.client.metrics("week")
        assert (told.totals.tasks, told.totals.cost_micro_usd, told.totals.requests) == (0, 0, 0)
        assert (told.duration_ms.p50, told.success_rate, told.by_model, told.by_status) == (None, None, {}, {})
        assert len(told.series) == 7


async def test_a_period_there_is_not_is_refused(hub: PlayedHub) -> None:
    assert_problem(await hub.get("/api/metrics?period=year"), 400, "malformed_request", "period")


@pytest.mark.parametrize(
    ("period", "now", "hours"),
    [
        ("day", "2026-03-29T12:00:00Z", 23), ("day", "2026-10-25T12:00:00Z", 25), ("week", "2026-03-29T12:00:00Z", 167),
        ("month", "2026-12-31T22:59:59Z", 744), ("month", "2026-12-31T23:00:00Z", 744),
    ],
)  # fmt: skip
async def test_a_period_has_the_hours_of_its_clocks(period: str, now: str, hours: int) -> None:
    spans = spans_of(period, _ms(now), BERLIN)  # type: ignore[arg-type]
    assert _hours(spans.period) == hours
    assert spans.previous.end_ms == spans.period.begin_ms
    assert spans.period.begin_ms <= _ms(now) < spans.period.end_ms


def _hours(span: Span) -> float:
    return (span.end_ms - span.begin_ms) / 3_600_000


def _counts(done: Done) -> tuple[int, ...]:
    return (done.tasks, done.completed, done.failed, done.cancelled, done.cost_micro_usd)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _ms(text: str) -> int:
    return round(_at(text).timestamp() * 1000)
