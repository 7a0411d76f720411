"""Who watches is told when a limit comes near and when it is reached, and sees where the day is going."""

import pytest

from budgets.clock import Clock
from budgets.spending import events, limit, spend
from hub.played import PlayedHub, Worker
from swarm_api.budget import LabelLimit

RED = {"labels": {"team": "red"}}
Told = list[tuple[str, str, int, int]]


async def told(hub: PlayedHub, scope: str) -> Told:
    """The events of a scope: type, label, limit and what was spent, in cents."""
    found = await events(hub, "budget_warning", "budget_exceeded")
    assert all(("taskId" in event.payload) == (event.payload["scope"] == "task") for event in found)
    return [
        (event.type, event.payload.get("label", ""), event.payload["limitCents"], event.payload["spentCents"])
        for event in found if event.payload["scope"] == scope
    ]  # fmt: skip


async def rich(hub: PlayedHub, **fields: object) -> Worker:
    """An agent that is not stopped."""
    return (await hub.running(budgetCents=1_000, **fields))[1]


async def test_at_80_percent_of_the_day_there_is_a_warning_once(hub: PlayedHub) -> None:
    worker = await rich(hub)
    await spend(worker, 799.99)
    assert await told(hub, "daily") == []
    await spend(worker, 0.01)
    await spend(worker, 50)
    assert await told(hub, "daily") == [("budget_warning", "", 1_000, 800)]


async def test_when_all_of_the_day_is_spent_it_is_said_once(hub: PlayedHub) -> None:
    worker = await rich(hub)
    for cents in (900, 99.99, 0.01, 20):
        await spend(worker, cents)
    assert await told(hub, "daily") == [("budget_warning", "", 1_000, 900), ("budget_exceeded", "", 1_000, 1_000)]


async def test_who_spends_it_at_one_stroke_is_told_of_the_end_alone(hub: PlayedHub) -> None:
    await spend(await rich(hub), 1_200)
    assert await told(hub, "daily") == [("budget_exceeded", "", 1_000, 1_200)]


async def test_each_day_is_told_of_anew_and_a_week_once(hub: PlayedHub, clock: Clock) -> None:
    await limit(hub, weekly_cents=1_100)
    worker = await rich(hub)
    await spend(worker, 850)
    clock.set("2026-11-19T12:00:00Z")
    await spend(worker, 850)
    assert [each[0] for each in await told(hub, "daily")] == ["budget_warning"] * 2
    assert await told(hub, "weekly") == [("budget_exceeded", "", 1_100, 1_700)]


async def test_a_label_is_told_of_by_its_name(hub: PlayedHub) -> None:
    await limit(hub, LabelLimit(label="team=red", limit_cents=1_000), daily_cents=100_000)
    await spend(await rich(hub), 900)
    assert await told(hub, "label") == []
    red = await rich(hub, **RED)
    await spend(red, 850)
    await spend(red, 150)
    assert await told(hub, "label") == [
        ("budget_warning", "team=red", 1_000, 850),
        ("budget_exceeded", "team=red", 1_000, 1_000),
    ]


async def test_a_task_warns_at_80_percent_of_its_own_budget_once_for_all_its_attempts(hub: PlayedHub) -> None:
    task, worker = await hub.running(budgetCents=100, maxAttempts=2)
    await spend(worker, 79)
    assert await told(hub, "task") == []
    await spend(worker, 1)
    await worker.finish(status="failure", error_code="runtime_crashed")
    worker = await hub.worker(task.id, attempt=2)
    await worker.claim()
    await spend(worker, 10)
    assert await told(hub, "task") == [("budget_warning", "", 100, 80)]
    (event,) = await events(hub, "budget_warning", task=task)
    assert event.payload["taskId"] == task.id


@pytest.mark.parametrize(
    ("cents", "state"),
    [(0, "ok"), (799.99, "ok"), (800, "warning"), (999.99, "warning"), (1_000, "exceeded"), (1_500, "exceeded")],
)
async def test_the_state_is_that_of_what_is_spent(hub: PlayedHub, cents: float, state: str) -> None:
    worker = await rich(hub)
    if cents:
        await spend(worker, cents)
    shown = await hub.client.budget()
    assert (shown.daily.state, shown.weekly.state, shown.state) == (state, "ok", state)


async def test_the_state_of_all_is_the_worst_of_them(hub: PlayedHub) -> None:
    worker = await rich(hub, **RED)
    await spend(worker, 850)
    shown = await limit(hub, LabelLimit(label="team=red", limit_cents=850))
    assert (shown.daily.state, shown.weekly.state, shown.labels[0].state) == ("warning", "ok", "exceeded")
    assert shown.state == "exceeded"


async def test_what_is_reserved_is_no_warning(hub: PlayedHub) -> None:
    await rich(hub)
    assert (await hub.client.budget()).state == "ok"


class TestForecast:
    """What will be spent at the end of a period, if it goes on as in the last hour."""

    async def test_it_is_the_pace_of_the_last_hour(self, hub: PlayedHub, clock: Clock) -> None:
        clock.set("2026-11-18T11:10:00Z")
        worker = await rich(hub)
        await spend(worker, 60)
        clock.set("2026-11-18T11:40:00Z")
        await spend(worker, 30)
        clock.set("2026-11-18T12:00:00Z")
        shown = await hub.client.budget()
        assert shown.daily.forecast_cents == 90 + 12 * 90
        assert shown.weekly.forecast_cents == 90 + (12 + 4 * 24) * 90

    async def test_the_quarter_that_runs_counts_with_the_four_before_it(self, hub: PlayedHub, clock: Clock) -> None:
        clock.set("2026-11-18T11:10:00Z")
        await spend(await rich(hub), 90)
        clock.set("2026-11-18T12:10:00Z")
        # 90 cents in 70 minutes, and 710 minutes to go.
        assert (await hub.client.budget()).daily.forecast_cents == round(90 + 90 * 710 / 70)

    async def test_what_was_spent_before_it_is_no_pace(self, hub: PlayedHub, clock: Clock) -> None:
        clock.set("2026-11-18T09:00:00Z")
        await spend(await rich(hub), 300)
        clock.set("2026-11-18T12:00:00Z")
        assert (await hub.client.budget()).daily.forecast_cents == 300

    async def test_an_hour_may_begin_yesterday(self, hub: PlayedHub, clock: Clock) -> None:
        clock.set("2026-11-18T23:45:00Z")
        await spend(await rich(hub), 30)
        clock.set("2026-11-19T00:30:00Z")
        shown = (await hub.client.budget()).daily
        assert shown.spent_cents == 0
        assert shown.forecast_cents == round(23.5 * 30)

    async def test_a_label_has_its_own(self, hub: PlayedHub, clock: Clock) -> None:
        clock.set("2026-11-18T11:30:00Z")
        await spend(await rich(hub, **RED), 20)
        await limit(hub, daily_cents=10_000)
        await spend(await rich(hub), 50)
        clock.set("2026-11-18T12:00:00Z")
        shown = await limit(hub, LabelLimit(label="team=red", limit_cents=500, period="week"))
        assert shown.labels[0].forecast_cents == 20 + (12 + 4 * 24) * 20
