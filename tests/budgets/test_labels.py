"""A limit on a label binds the tasks that have it, beside the limits of day and week, and no others."""

import time
from pathlib import Path
from typing import Any

import pytest

from budgets.clock import Clock
from budgets.conftest import MONEY
from budgets.spending import limit, spend, spent_task, waits_for_money
from hub.played import PlayedHub, played_hub
from swarm_api.base import rfc3339
from swarm_api.budget import LabelLimit, LabelStanding

RED = {"labels": {"team": "red"}}
BLUE = {"labels": {"team": "blue"}}
BOTH = {"labels": {"team": "red", "kind": "night"}}


def red(cents: int, **fields: Any) -> LabelLimit:
    return LabelLimit(label="team=red", limit_cents=cents, **fields)


async def standing(hub: PlayedHub, label: str = "team=red") -> LabelStanding:
    return next(each for each in (await hub.client.budget()).labels if each.label == label)


async def test_a_task_with_the_label_waits_when_its_limit_has_no_room(hub: PlayedHub) -> None:
    await limit(hub, red(500))
    await hub.running(**RED)
    reason = await waits_for_money(hub, await hub.client.submit({"prompt": "Go", **RED}))
    assert reason.detail == "the budget of team=red has $1.00 of $5.00 left, and it needs $4.00"
    assert reason.until is None


@pytest.mark.parametrize("other", [{}, BLUE, {"labels": {"crew": "red"}}, {"labels": {"team": "redder"}}])
async def test_tasks_without_the_label_start_all_the_same(hub: PlayedHub, other: dict[str, Any]) -> None:
    await limit(hub, red(0))
    await waits_for_money(hub, await hub.client.submit({"prompt": "Go", **RED}))
    await hub.running(**other)
    assert (await standing(hub)).reserved_cents == 0


async def test_a_task_has_to_have_room_in_each_of_its_limits(hub: PlayedHub) -> None:
    await limit(hub, red(900), LabelLimit(label="kind=night", limit_cents=500))
    await hub.running(labels={"kind": "night"})
    reason = await waits_for_money(hub, await hub.client.submit({"prompt": "Go", **BOTH}))
    assert reason.detail.startswith("the budget of kind=night has $1.00")
    await hub.running(**RED)


async def test_the_days_limit_binds_what_has_room_in_its_label_too(hub: PlayedHub) -> None:
    await limit(hub, red(100_000))
    await hub.running(**RED)
    await hub.running(**RED)
    reason = await waits_for_money(hub, await hub.client.submit({"prompt": "Go", **RED}))
    assert reason.detail.startswith("the day's budget")


async def test_what_is_spent_and_reserved_is_of_the_tasks_with_the_label(hub: PlayedHub) -> None:
    await limit(hub, red(900), LabelLimit(label="kind=night", limit_cents=900, period="week"))
    _task, worker = await hub.running(**BOTH)
    await spend(worker, 150)
    await spent_task(hub, 70, **BLUE)
    for label in ("team=red", "kind=night"):
        shown = await standing(hub, label)
        assert (shown.spent_cents, shown.reserved_cents, shown.remaining_cents) == (150, 250, 500)
    assert (await hub.client.budget()).daily.spent_cents == 220


async def test_what_was_spent_before_there_was_a_limit_counts(hub: PlayedHub) -> None:
    await spent_task(hub, 300, **RED)
    await limit(hub, red(500))
    assert (await standing(hub)).spent_cents == 300
    await waits_for_money(hub, await hub.client.submit({"prompt": "Go", **RED}))


@pytest.mark.parametrize(
    ("period", "last_moment", "reset"),
    [("day", "2026-11-18T23:59:59Z", "2026-11-19T00:00:00Z"), ("week", "2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z")],
)
async def test_it_is_whole_again_at_the_end_of_its_period(
    hub: PlayedHub, clock: Clock, period: Any, last_moment: str, reset: str
) -> None:
    await limit(hub, red(500, period=period))
    await spent_task(hub, 300, **RED)
    task = await hub.client.submit({"prompt": "Go", **RED})
    clock.set(last_moment)
    reason = await waits_for_money(hub, task)
    assert reason.until is not None
    assert rfc3339(reason.until) == reset
    clock.set(reset)
    await hub.worker(task.id)


async def test_what_is_behind_one_that_waits_for_its_label_goes_on(hub: PlayedHub, clock: Clock) -> None:
    await limit(hub, red(500))
    await hub.running(**RED)
    first = await hub.client.submit({"prompt": "Go", **RED})
    clock.wait(minutes=1)
    behind = await hub.client.submit({"prompt": "Go", "budgetCents": 100, **RED})
    other = await hub.client.submit({"prompt": "Go", "budgetCents": 100, **BLUE})
    await hub.worker(other.id)
    await waits_for_money(hub, first)
    assert (await hub.client.task(behind.id)).assigned_agent is None, "it has the label, and would overtake"


async def test_a_limit_that_goes_lets_its_tasks_go(hub: PlayedHub) -> None:
    await limit(hub, red(0))
    task = await hub.client.submit({"prompt": "Go", **RED})
    await waits_for_money(hub, task)
    await hub.http.put("/api/budget", json={"labels": []})
    await hub.worker(task.id)


async def test_a_long_line_of_tasks_without_room_holds_up_nobody(tmp_path: Path, clock: Clock) -> None:
    """The scheduler looks at them together, however few agents may start."""
    async with played_hub(tmp_path, clock, **MONEY, max_parallel_agents=1) as hub:
        await limit(hub, red(300))
        await hub.client.submit_batch([{"prompt": "Go", **RED}] * 1_000)
        began = time.monotonic()
        for _ in range(3):
            assert await hub.parts.scheduler.tick() == []
        assert time.monotonic() - began < 3, "it took seconds for each look, when each task was one"
        assert (await hub.client.budget()).waiting == 1_000
