"""Every single call to Fly fails in every way there is, and it ends right: no worker doubled, none lost, none left."""

import asyncio

import pytest

from executors.clouds import FAULTS, Fault
from executors.conformance import launch
from executors.fly_place import FlyPlace
from executors.waiting import again
from swarm_executors.calls import Patience
from swarm_executors.fly import FlyExecutor
from swarm_executors.protocol import Handle

HASTY = Patience(timeout=0.3, tries=3, first=0.001, most=0.002)
CALLS = 6  # of one life, and one more than the last: a test below says so


async def life(executor: FlyExecutor) -> Handle:
    """Of one worker: started, looked at, stopped, looked at."""
    order = launch(executor)
    handle = await again(lambda: executor.start(order))
    assert (await executor.poll(handle)).state in ("alive", "unknown")
    await again(lambda: executor.stop(handle, 0.5))
    return handle


async def ended(executor: FlyExecutor, handle: Handle) -> str:
    """What it is in the end: `unknown` asks again."""
    async with asyncio.timeout(10):
        while (seen := (await executor.poll(handle)).state) == "unknown":  # noqa: ASYNC110 - polling is what is tested
            await asyncio.sleep(0)
    return seen


async def test_a_life_takes_as_many_calls_as_are_spoiled_here() -> None:
    async with FlyPlace() as place:
        executor = place.of(place.app, HASTY)
        await ended(executor, await life(executor))
        assert len(place.faulty.calls) == CALLS + 1, place.faulty.calls


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", range(CALLS + 1))
async def test_one_spoiled_call_doubles_nothing_and_loses_nothing(call: int, fault: Fault) -> None:
    async with FlyPlace() as place:
        place.faulty.plan = lambda number: fault if number == call else None
        executor = place.of(place.app, HASTY)
        handle = await life(executor)
        assert await ended(executor, handle) == "exited"
        assert place.starts(handle["agentId"]) == 1
        assert not place.is_running(handle["agentId"])
        assert place.fly.faults == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_all_creates_spoiled_for_a_while_give_one_worker(fault: Fault) -> None:
    async with FlyPlace() as place:
        place.faulty.plan = lambda number: fault if 0 < number < 5 else None
        executor = place.of(place.app, HASTY)
        handle = await again(lambda: executor.start(launch(executor)))
        assert len(place.fly.running(handle["agentId"])) == 1
