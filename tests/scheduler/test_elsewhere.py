"""What the scheduler does about places that are full, and about workers that nobody looks after."""

from pathlib import Path

import pytest
from pydantic_core import from_json
from sqlalchemy import select

from scheduler.gate import callbacks
from scheduler.inprocess import Moody, Place, Worker
from scheduler.money import DEFAULTS
from scheduler.running import HUB_ID, Hub, Time, running_hub
from swarm_api.ids import new_agent_id
from swarm_executors.protocol import Launch
from swarm_hub.store import schema
from swarm_hub.strays import EVERY
from swarm_hub.trying_again import LATER, LONGEST_FOR_ROOM

pytestmark = pytest.mark.timeout(30)
LIMIT_SECONDS = 60 * DEFAULTS.timeout_minutes


async def no_room_for(hub: Hub, name: str) -> str:
    async def holds() -> str | None:
        told: str | None = (await hub.task(name)).no_room
        return told

    return await hub.until(holds)


async def blocked_events(hub: Hub) -> int:
    query = select(schema.events.c.seq).where(schema.events.c.type == "task_blocked")
    return len(await hub.store.read(lambda c: c.execute(query).all()))


async def test_a_task_waits_for_room_and_says_why_and_until_when(hub: Hub) -> None:
    hub.executor.full = "no room in ord, iad"
    await hub.submit("task")
    told = from_json(await no_room_for(hub, "task"))
    assert (told["reason"], told["detail"]) == ("capacity", "no room in ord, iad")
    assert told["until"]
    assert (await hub.task("task")).status == "pending"


async def test_it_is_asked_for_again_until_there_is_room_and_waits_no_more(hub: Hub) -> None:
    hub.executor.full = "no room"
    await hub.submit("task")
    await no_room_for(hub, "task")
    hub.executor.full = ""
    await hub.pass_by(LATER)
    await hub.attempt("task")
    assert (await hub.task("task")).no_room is None


async def test_waiting_for_room_costs_no_try_and_no_time_and_is_told_once(hub: Hub) -> None:
    hub.executor.full = "no room"
    await hub.submit("task")
    await no_room_for(hub, "task")
    for _ in range(int(3 * LIMIT_SECONDS / LONGEST_FOR_ROOM)):
        await hub.pass_by(LONGEST_FOR_ROOM)
    assert hub.executor.calls.count(("start", (await hub.task("task")).agent_id)) > 3
    hub.executor.full = ""
    await hub.pass_by(LONGEST_FOR_ROOM)
    await hub.attempt("task")
    await hub.end("task")
    done = await hub.becomes("task", "completed")
    assert done.attempts == 1
    assert await blocked_events(hub) == 1


async def test_a_task_that_waits_for_room_is_cancelled_at_once(hub: Hub) -> None:
    hub.executor.full = "no room"
    await hub.submit("task")
    await no_room_for(hub, "task")
    await hub.cancel("task")
    cancelled = await hub.becomes("task", "cancelled")
    assert cancelled.no_room is None


async def test_a_worker_of_no_agent_is_ended(tmp_path: Path, place: Place, time: Time) -> None:
    stray = Launch(new_agent_id("local"), HUB_ID, "http://127.0.0.1:3000", "a-token", "light")
    place.run(Worker(stray, listens=False))
    executor = Moody(place)
    async with running_hub(tmp_path, executor, time):
        await executor.called("stop")
        await callbacks()
        assert not place.is_running(stray.agent_id)


async def test_a_worker_of_another_hub_is_left_alone(tmp_path: Path, place: Place, time: Time) -> None:
    theirs = Launch(new_agent_id("local"), "another-hub", "http://127.0.0.1:3000", "a-token", "light")
    place.run(Worker(theirs, listens=False))
    async with running_hub(tmp_path, Moody(place), time) as hub:
        await hub.submit("task")
        await hub.attempt("task")
        await hub.pass_by(EVERY)
        assert place.is_running(theirs.agent_id)
