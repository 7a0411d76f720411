"""Days and weeks are those of TIME_ZONE, and what is spent counts on the day on which its answer ended."""

import asyncio
from pathlib import Path

import pytest

from budgets.calling import CENTS_10, calling, says
from budgets.clock import Clock
from budgets.conftest import MONEY
from budgets.spending import spend, spent_task
from hub.played import PlayedHub, played_hub
from scripted_api import Hang, ScriptedApi
from swarm_api.base import rfc3339
from swarm_hub.budgets.spans import span_of
from swarm_hub.values import zone

BERLIN, KATHMANDU, SANTIAGO = "Europe/Berlin", "Asia/Kathmandu", "America/Santiago"


@pytest.mark.parametrize(
    ("name", "now", "day_ends", "week_ends"),
    [
        (BERLIN, "2026-11-18T12:00:00Z", "2026-11-18T23:00:00Z", "2026-11-22T23:00:00Z"),
        (BERLIN, "2026-11-18T22:59:59Z", "2026-11-18T23:00:00Z", "2026-11-22T23:00:00Z"),
        (BERLIN, "2026-11-18T23:00:00Z", "2026-11-19T23:00:00Z", "2026-11-22T23:00:00Z"),
        (BERLIN, "2026-11-22T22:59:59Z", "2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z"),
        (BERLIN, "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z", "2026-11-29T23:00:00Z"),
        # Sunday, March 29 has 23 hours, Sunday, October 25 has 25.
        (BERLIN, "2026-03-28T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        (BERLIN, "2026-03-29T12:00:00Z", "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z"),
        (BERLIN, "2026-10-24T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        (BERLIN, "2026-10-25T00:30:00Z", "2026-10-25T23:00:00Z", "2026-10-25T23:00:00Z"),
        # A quarter of an hour off every whole hour.
        (KATHMANDU, "2026-11-18T18:14:59Z", "2026-11-18T18:15:00Z", "2026-11-22T18:15:00Z"),
        (KATHMANDU, "2026-11-18T18:15:00Z", "2026-11-19T18:15:00Z", "2026-11-22T18:15:00Z"),
        # The clocks change at midnight: Sunday, September 6 begins at one, Saturday, April 4 has 23 o'clock twice.
        (SANTIAGO, "2026-09-06T03:59:59Z", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"),
        (SANTIAGO, "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z", "2026-09-07T03:00:00Z"),
        (SANTIAGO, "2026-04-05T02:30:00Z", "2026-04-05T04:00:00Z", "2026-04-06T04:00:00Z"),
        (SANTIAGO, "2026-04-05T03:30:00Z", "2026-04-05T04:00:00Z", "2026-04-06T04:00:00Z"),
        (SANTIAGO, "2026-04-05T04:00:00Z", "2026-04-06T04:00:00Z", "2026-04-06T04:00:00Z"),
    ],
)
async def test_a_limit_is_whole_again_at_the_zones_midnight_and_on_its_monday(
    tmp_path: Path, name: str, now: str, day_ends: str, week_ends: str
) -> None:
    async with played_hub(tmp_path, Clock(now), time_zone=zone(name)) as hub:
        shown = await hub.client.budget()
    assert shown.time_zone == name
    assert (rfc3339(shown.daily.resets_at), rfc3339(shown.weekly.resets_at)) == (day_ends, week_ends)


@pytest.mark.parametrize("name", [BERLIN, KATHMANDU, SANTIAGO, "America/Havana", "Australia/Lord_Howe", "Africa/Cairo"])
def test_days_and_weeks_follow_one_another_without_gap_or_overlap(name: str) -> None:
    moment, end = Clock("2025-12-31T00:00:00Z")(), Clock("2027-01-03T00:00:00Z")()
    while moment < end:
        day, week = span_of("day", moment, zone(name)), span_of("week", moment, zone(name))
        assert day.begin_ms <= moment < day.end_ms
        assert week.begin_ms <= day.begin_ms < day.end_ms <= week.end_ms
        assert day == span_of("day", day.begin_ms, zone(name)) == span_of("day", day.end_ms - 1, zone(name))
        assert span_of("week", week.end_ms, zone(name)).begin_ms == week.end_ms
        moment = day.end_ms


async def spent_cents(hub: PlayedHub) -> tuple[int, int]:
    """Of the day and of the week."""
    shown = await hub.client.budget()
    return shown.daily.spent_cents, shown.weekly.spent_cents


async def test_a_new_day_has_spent_nothing_and_its_week_what_it_had(hub: PlayedHub, clock: Clock) -> None:
    await spent_task(hub, 300)
    clock.set("2026-11-18T23:59:59Z")
    assert await spent_cents(hub) == (300, 300)
    clock.set("2026-11-19T00:00:00Z")
    assert await spent_cents(hub) == (0, 300)
    clock.set("2026-11-23T00:00:00Z")
    assert await spent_cents(hub) == (0, 0)


async def test_quarters_of_an_hour_on_both_sides_of_a_midnight_are_of_two_days(tmp_path: Path) -> None:
    clock = Clock("2026-11-18T18:14:59Z")
    async with played_hub(tmp_path, clock, **MONEY, time_zone=zone(KATHMANDU)) as hub:
        _task, worker = await hub.running()
        await spend(worker, 100)
        clock.set("2026-11-18T18:15:00Z")
        await spend(worker, 20)
        assert await spent_cents(hub) == (20, 120)


async def test_an_answer_counts_on_the_day_on_which_it_ended(
    metered: PlayedHub, api: ScriptedApi, clock: Clock
) -> None:
    api.scripts["Go"] = says(CENTS_10, Hang(after=2))
    clock.set("2026-11-18T23:59:00Z")
    agent = await calling(metered)
    asking = asyncio.create_task(agent.ask("Go"))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    clock.set("2026-11-19T00:01:00Z")
    api.release()
    assert (await asking).status_code == 200
    assert await spent_cents(metered) == (10, 10)


async def test_another_time_zone_counts_rightly_from_its_first_moment_on(tmp_path: Path) -> None:
    """At half past midnight in Berlin, the early morning of which was spent in UTC is of yesterday."""
    clock = Clock("2026-11-18T03:00:00Z")
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        await spent_task(hub, 1)
        clock.set("2026-11-18T23:15:00Z")
        await spent_task(hub, 20)
        clock.set("2026-11-18T23:30:00Z")
        assert await spent_cents(hub) == (21, 21)
    for name, today in ((BERLIN, 20), ("Pacific/Marquesas", 20), (KATHMANDU, 20), ("Atlantic/Azores", 21)):
        async with played_hub(tmp_path, clock, **MONEY, time_zone=zone(name)) as hub:
            assert await spent_cents(hub) == (today, 21), name


async def test_what_runs_over_midnight_keeps_what_is_set_aside_for_it(hub: PlayedHub, clock: Clock) -> None:
    _task, worker = await hub.running()
    await spend(worker, 100)
    clock.set("2026-11-19T00:00:00Z")
    shown = (await hub.client.budget()).daily
    assert (shown.spent_cents, shown.reserved_cents, shown.remaining_cents) == (0, 300, 700)
