"""What a scheduler that was started again makes of what the one before it left."""

from pathlib import Path

import pytest

from scheduler.inprocess import Moody, Place
from scheduler.running import Time, running_hub
from swarm_hub.scheduler import SWEEP

pytestmark = pytest.mark.timeout(30)


async def test_an_agent_that_was_claimed_and_not_started_is_started_once(
    tmp_path: Path, place: Place, time: Time
) -> None:
    hanging = Moody(place)
    hanging.hanging.add("start")
    async with running_hub(tmp_path, hanging, time) as hub:
        await hub.submit("task")
        await hanging.called("start")
    async with running_hub(tmp_path, Moody(place), time) as hub:
        agent = await hub.attempt("task")
        assert (agent.attempt, place.starts(agent.id)) == (1, 1)


async def test_an_agent_whose_start_was_not_written_down_is_not_started_again(
    tmp_path: Path, place: Place, time: Time
) -> None:
    forgetful = Moody(place)
    forgetful.hanging.add("start is done")
    async with running_hub(tmp_path, forgetful, time) as hub:
        await hub.submit("task")
        await forgetful.called("start is done")
        await hub.begin("task")
    async with running_hub(tmp_path, Moody(place), time) as hub:
        agent = await hub.attempt("task")
        assert (agent.attempt, place.starts(agent.id)) == (1, 1)
        await hub.end("task")
        assert (await hub.task("task")).status == "completed"


async def test_workers_go_on_while_there_is_no_hub(tmp_path: Path, place: Place, time: Time) -> None:
    async with running_hub(tmp_path, Moody(place), time) as hub:
        await hub.submit("task")
        agent = await hub.attempt("task")
        await hub.begin("task")
    assert place.is_running(agent.id)
    async with running_hub(tmp_path, Moody(place), time) as hub:
        await hub.pass_by(SWEEP)
        assert (await hub.task("task")).status == "running"


async def test_a_worker_that_passed_its_limit_without_a_hub_can_still_report(
    tmp_path: Path, place: Place, time: Time
) -> None:
    async with running_hub(tmp_path, Moody(place), time) as hub:
        await hub.submit("task", timeout_minutes=10)
        await hub.attempt("task")
        await hub.begin("task")
    time.seconds += 3_600
    async with running_hub(tmp_path, Moody(place), time) as hub:
        await hub.pass_by(20)
        await hub.end("task")
        assert (await hub.task("task")).status == "completed"


async def test_a_cancel_that_was_accepted_before_is_carried_out(tmp_path: Path, place: Place, time: Time) -> None:
    async with running_hub(tmp_path, Moody(place), time) as hub:
        await hub.submit("task")
        agent = await hub.attempt("task")
        await hub.begin("task")
        await hub.cancel("task")
    async with running_hub(tmp_path, Moody(place), time) as hub:
        await hub.pass_by(10)
        await hub.becomes("task", "cancelled")
        await hub.released("task")
        assert not place.is_running(agent.id)


async def test_a_worker_that_died_without_a_hub_is_noticed(tmp_path: Path, place: Place, time: Time) -> None:
    async with running_hub(tmp_path, Moody(place), time) as hub:
        await hub.submit("task", max_attempts=2)
        agent = await hub.attempt("task")
        await hub.begin("task")
    place.finish({"agentId": agent.id}, 1)
    async with running_hub(tmp_path, Moody(place), time) as hub:
        await hub.attempt("task", 2)
