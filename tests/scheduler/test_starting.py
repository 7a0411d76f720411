"""How the running scheduler starts what is ready."""

import asyncio
from pathlib import Path

import pytest

from scheduler.gate import Gate, callbacks
from scheduler.inprocess import Moody, Place
from scheduler.running import Hub, Time, Work, running_hub
from swarm_hub.scheduler import PATIENCE, SWEEP
from swarm_hub.store.writer import GROUP

pytestmark = pytest.mark.timeout(30)


async def test_a_task_starts_at_its_commit_without_any_time_passing(hub: Hub, place: Place) -> None:
    await hub.submit("task")
    agent = await hub.attempt("task")
    assert place.is_running(agent.id)


async def test_what_was_waiting_starts_at_the_end_of_what_it_waited_for(hub: Hub) -> None:
    await hub.submit("first")
    await hub.attempt("first")
    await hub.submit("second", depends_on=[(await hub.task("first")).id])
    await hub.end("first")
    await hub.attempt("second")


async def test_a_held_task_starts_when_it_is_executed(hub: Hub) -> None:
    await hub.submit("task", hold=True)
    await hub.pass_by(60)
    assert await hub.agents("task") == []
    await hub.execute("task")
    await hub.attempt("task")


async def test_what_cannot_start_fails_with_the_reason_and_leaves_nothing(hub: Hub) -> None:
    hub.executor.refusing = True
    await hub.submit("task")
    task = await hub.becomes("task", "failed")
    assert "start_failed" in task.result
    assert "cannot be started here" in task.result
    await hub.released("task")


async def test_a_start_that_failed_costs_an_attempt_while_there_are_any(hub: Hub) -> None:
    hub.executor.refusing = True
    await hub.submit("task", max_attempts=3)
    await hub.becomes("task", "failed")
    assert [agent.status for agent in await hub.agents("task")] == ["lost"] * 3


async def test_a_start_that_fails_for_now_is_tried_again_with_the_same_agent(hub: Hub, place: Place) -> None:
    hub.executor.failing.add("start")
    await hub.submit("task")
    await hub.executor.called("start")
    hub.executor.failing.clear()
    await hub.pass_by(SWEEP)
    agent = await hub.attempt("task")
    assert (agent.attempt, place.starts(agent.id)) == (1, 1)


async def test_a_start_that_hangs_is_tried_again(hub: Hub, place: Place) -> None:
    hub.executor.hanging.add("start")
    await hub.submit("task")
    await hub.executor.called("start")
    hub.executor.hanging.clear()
    await hub.pass_by(PATIENCE)
    await hub.pass_by(SWEEP)
    agent = await hub.attempt("task")
    assert place.starts(agent.id) == 1


async def test_one_start_that_hangs_holds_up_no_other(hub: Hub) -> None:
    hub.executor.hanging.add("start")
    await hub.submit("hangs")
    await hub.executor.called("start")
    hub.executor.hanging.clear()
    await hub.submit("starts")
    await hub.attempt("starts")


async def test_an_agent_that_is_never_started_ends_at_its_time_limit(hub: Hub) -> None:
    hub.executor.hanging.add("start")
    await hub.submit("task", timeout_minutes=10)
    await hub.executor.called("start")
    await hub.pass_by(11 * 60)
    task = await hub.becomes("task", "failed")
    assert "start_failed" in task.result


async def test_there_are_never_more_agents_than_there_is_room_for(tmp_path: Path, place: Place, time: Time) -> None:
    async with running_hub(tmp_path, Moody(place), time, capacity=3) as hub:
        names = [f"task {i}" for i in range(30)]
        await hub.submit(*names)
        for name in names:
            await hub.attempt(name)
            assert await hub.live() <= 3
            await hub.end(name)


async def test_nothing_that_is_ready_waits_for_time_to_pass_while_agents_come_and_go(
    tmp_path: Path, place: Place, time: Time
) -> None:
    async def client(hub: Hub, number: int) -> None:
        for i in range(25):
            name = f"task {number} {i}"
            await hub.submit(name)
            await hub.attempt(name)
            await hub.end(name)

    async with running_hub(tmp_path, Moody(place), time, capacity=2) as hub:
        await asyncio.gather(*(client(hub, number) for number in range(6)))


async def test_a_task_that_shares_its_commit_with_a_look_for_ready_ones_starts(
    tmp_path: Path, place: Place, time: Time
) -> None:
    async with running_hub(tmp_path, Moody(place), time, capacity=1) as hub:
        await hub.submit("first")
        await hub.attempt("first")
        await hub.begin("first")
        end = await hub.last_words("first")
        before, after = Gate(), Gate()
        writes: list[asyncio.Task[object]] = [asyncio.create_task(hub.store.write(before.hold))]
        await before.reached()
        nothing: list[Work] = [lambda _tx: None] * (GROUP - 1)  # fills the commit of the end
        writes += [asyncio.create_task(hub.store.write(work)) for work in (end, *nothing, after.hold)]
        await callbacks()
        before.open()
        await after.reached()
        await callbacks()  # the scheduler has heard of the end, and asks for what is ready
        writes += [asyncio.create_task(hub.submit("second"))]
        await callbacks()
        after.open()
        await hub.attempt("second")
        await asyncio.gather(*writes)
