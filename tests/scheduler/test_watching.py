"""How the running scheduler looks after what runs, whatever the executor does."""

import pytest

from scheduler.inprocess import Place
from scheduler.running import Hub, Time
from swarm_hub.scheduler import EXIT_GRACE_MS, PATIENCE, SWEEP
from swarm_hub.trying_again import LONGEST

pytestmark = pytest.mark.timeout(30)
CANCEL_LIMIT = 15  # seconds in which the state after a cancel is final
HOUR = 3_600


async def test_a_lost_worker_fails_its_task_with_the_reason(hub: Hub, place: Place) -> None:
    await hub.submit("task")
    agent = await hub.attempt("task")
    await hub.begin("task")
    place.lose({"agentId": agent.id})
    await hub.pass_by(SWEEP)
    task = await hub.becomes("task", "failed")
    assert "worker_lost" in task.result
    assert "nobody here knows it" in task.result


async def test_the_scheduler_looks_around_by_itself(hub: Hub, place: Place, time: Time) -> None:
    await hub.submit("task")
    agent = await hub.attempt("task")
    await hub.begin("task")
    place.lose({"agentId": agent.id})
    while (await hub.task("task")).status == "running":
        time.seconds += SWEEP


async def test_a_worker_that_exits_without_a_word_costs_an_attempt(hub: Hub, place: Place) -> None:
    await hub.submit("task", max_attempts=2)
    first = await hub.attempt("task")
    await hub.begin("task")
    place.finish({"agentId": first.id}, 1)
    await hub.pass_by(SWEEP)
    second = await hub.attempt("task", 2)
    assert place.is_running(second.id)


async def test_an_executor_that_cannot_look_ends_nothing(hub: Hub) -> None:
    await hub.submit("task")
    await hub.attempt("task")
    await hub.begin("task")
    hub.executor.failing.add("poll")
    for _ in range(5):
        await hub.pass_by(SWEEP)
    assert (await hub.task("task")).status == "running"


async def test_a_cancel_is_final_in_time_though_the_worker_is_deaf(hub: Hub, place: Place) -> None:
    await hub.submit("task")
    agent = await hub.attempt("task")
    await hub.begin("task")
    await hub.cancel("task")
    for _ in range(CANCEL_LIMIT - 1):
        await hub.pass_by(1)
    await hub.becomes("task", "cancelled")
    await hub.released("task")
    assert not place.is_running(agent.id)


@pytest.mark.parametrize("call", ["poll", "stop"])
async def test_a_cancel_is_final_in_time_though_the_executor_hangs(hub: Hub, call: str) -> None:
    await hub.submit("task")
    await hub.attempt("task")
    await hub.begin("task")
    hub.executor.hanging.add(call)
    await hub.pass_by(SWEEP)
    await hub.cancel("task")
    for _ in range(CANCEL_LIMIT - 1):
        await hub.pass_by(1)
    await hub.becomes("task", "cancelled")


async def test_a_worker_is_stopped_until_nothing_of_it_runs(hub: Hub, place: Place) -> None:
    hub.executor.failing.add("stop")
    await hub.submit("task")
    agent = await hub.attempt("task")
    await hub.begin("task")
    await hub.cancel("task")
    for _ in range(2 * CANCEL_LIMIT):
        await hub.pass_by(1)
    assert hub.executor.calls.count(("stop", agent.id)) > 1
    assert not (await hub.agents("task"))[0].released
    hub.executor.failing.clear()
    await hub.pass_by(LONGEST)
    await hub.released("task")
    assert not place.is_running(agent.id)


async def test_a_worker_whose_stop_hangs_is_stopped_again(hub: Hub, place: Place) -> None:
    hub.executor.hanging.add("stop")
    await hub.submit("task")
    agent = await hub.attempt("task")
    await hub.begin("task")
    await hub.cancel("task")
    await hub.pass_by(CANCEL_LIMIT)
    hub.executor.hanging.clear()
    await hub.pass_by(PATIENCE)
    await hub.pass_by(SWEEP)
    await hub.released("task")
    assert not place.is_running(agent.id)


async def test_the_hard_limit_ends_the_task_and_stops_the_worker(hub: Hub, place: Place) -> None:
    await hub.submit("task", timeout_minutes=10)
    agent = await hub.attempt("task")
    await hub.begin("task")
    await hub.pass_by(11 * 60)
    task = await hub.becomes("task", "failed")
    assert '"timeout"' in task.result
    await hub.released("task")  # without any more time
    assert not place.is_running(agent.id)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["the machine slept", "the clock was set back"])
async def test_a_jump_of_the_clock_changes_nobodys_time(hub: Hub, time: Time, jump: float) -> None:
    await hub.submit("task", timeout_minutes=10)
    await hub.attempt("task")
    await hub.begin("task")
    time.asleep += jump
    await hub.pass_by(10 * 60)
    assert (await hub.task("task")).status == "running"
    await hub.pass_by(60)
    await hub.becomes("task", "failed")


async def test_a_worker_that_has_reported_its_end_may_take_a_while_to_leave(hub: Hub, place: Place) -> None:
    await hub.submit("task")
    agent = await hub.attempt("task")
    await hub.end("task")
    for _ in range(5):
        await hub.pass_by(SWEEP)
    assert place.is_running(agent.id)
    await hub.pass_by(EXIT_GRACE_MS / 1000)
    await hub.released("task")
    assert not place.is_running(agent.id)


async def test_a_worker_whose_task_was_cancelled_before_it_was_started_is_stopped(hub: Hub, place: Place) -> None:
    hub.executor.hanging.add("start")
    await hub.submit("task")
    agent_id = await hub.executor.called("start")
    await hub.cancel("task")
    hub.executor.let_go("start")
    await hub.attempt("task")
    await hub.pass_by(SWEEP)
    await hub.released("task")
    assert not place.is_running(agent_id)


async def test_another_attempt_begins_when_the_last_worker_has_left(hub: Hub, place: Place) -> None:
    await hub.submit("task")
    first = await hub.attempt("task")
    await hub.end("task", "failure", "agent_failed")
    await hub.retry("task")
    await hub.pass_by(SWEEP)
    assert len(await hub.agents("task")) == 1
    place.finish({"agentId": first.id}, 0)
    await hub.pass_by(SWEEP)
    await hub.attempt("task", 2)


async def test_a_scheduler_whose_executor_breaks_its_word_goes_on(hub: Hub, place: Place) -> None:
    hub.executor.breaking = True
    await hub.submit("task")
    await hub.executor.called("start")
    hub.executor.breaking = False
    await hub.pass_by(SWEEP)
    await hub.attempt("task")
