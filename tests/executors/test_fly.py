"""What is Fly's own about running workers there: regions, names, tokens, ends, limits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from executors.conformance import HUB, launch
from executors.fake_fly import Machine
from executors.fly_place import FlyPlace
from executors.waiting import until_ended
from swarm_executors.fly import FlyExecutor
from swarm_executors.fly_errors import Exists, HostFull, judge
from swarm_executors.fly_machines import FlyApp, observe
from swarm_executors.protocol import Ambiguous, Gone, NoCapacity, Observation, Refused, Shut, Throttled


@pytest.fixture
async def place() -> AsyncIterator[FlyPlace]:
    async with FlyPlace() as place:
        yield place
        assert place.fly.faults == []


async def test_a_region_without_room_is_passed_over_for_the_next(place: FlyPlace) -> None:
    place.fly.room = {"ord": 0}
    executor = place.executor()
    handle = await executor.start(launch(executor))
    assert handle["region"] == "iad"


async def test_without_room_anywhere_it_says_so_and_names_the_regions(place: FlyPlace) -> None:
    place.fly.room = dict.fromkeys(("ord", "iad", "sjc"), 0)
    executor = place.executor()
    with pytest.raises(NoCapacity, match="ord, iad, sjc"):
        await executor.start(launch(executor))
    assert place.fly.ever == []


async def test_a_full_host_is_no_full_region(place: FlyPlace) -> None:
    place.fly.clash = 2
    executor = place.executor()
    assert (await executor.start(launch(executor)))["region"] == "ord"


async def test_room_that_is_freed_is_taken_at_the_next_call(place: FlyPlace) -> None:
    place.fly.room = dict.fromkeys(("ord", "iad", "sjc"), 0)
    executor, order = place.executor(), None
    order = launch(executor)
    with pytest.raises(NoCapacity):
        await executor.start(order)
    place.fly.room = {}
    assert (await executor.start(order))["agentId"] == order.agent_id


async def test_creates_keep_to_one_a_second_and_three_at_once(place: FlyPlace) -> None:
    place.fly.rate = (1.0, 3)
    executor = place.executor()
    await asyncio.gather(*(executor.start(replace(launch(executor), first=True)) for _ in range(5)))
    assert len(place.fly.creates) == 5  # none was refused and asked again
    assert len(place.fly.ever) == 5


async def test_a_worker_that_runs_is_not_lost_when_lists_are_late(place: FlyPlace) -> None:
    executor = place.executor()
    handle = await executor.start(launch(executor))
    place.fly.unseen = 3
    assert [(await executor.poll(handle)).state for _ in range(3)] == ["alive"] * 3


async def test_many_polls_are_one_list(place: FlyPlace) -> None:
    executor = place.of(place.app, poll_every=60)
    handles = [await executor.start(replace(launch(executor), first=True)) for _ in range(3)]
    before = len(place.faulty.calls)
    assert {(await executor.poll(handle)).state for handle in handles for _ in range(10)} == {"alive"}
    assert len(place.faulty.calls) == before + 1


async def test_too_much_memory_is_told_apart(place: FlyPlace) -> None:
    async def greedy(_: Machine) -> int:
        raise MemoryError

    executor = place.executor()
    place.fly.program = greedy
    handle = await executor.start(launch(executor))
    await until_ended(executor, handle)
    seen = await executor.poll(handle)
    assert (seen.state, seen.cause) == ("exited", "out_of_memory")


async def test_a_host_that_is_gone_is_told_apart(place: FlyPlace) -> None:
    executor = place.executor()
    handle = await executor.start(launch(executor))
    machine = place.fly.machines[handle["machineId"]]
    machine.state, machine.events = "destroyed", [machine.events[-1]]
    seen = await executor.poll(handle)
    assert (seen.state, seen.cause) == ("lost", "host_lost")


async def test_what_a_machine_logged_last_says_why_its_worker_died(place: FlyPlace) -> None:
    executor = place.executor()
    handle = await executor.start(launch(executor))
    place.fly.log[handle["machineId"]] = ["starting", "Traceback: no space left on device"]
    place.finish(handle, 7)
    await until_ended(executor, handle)
    assert "no space left on device" in (await executor.poll(handle)).detail


async def test_a_machine_tells_whose_it_is_and_what_it_may_take(place: FlyPlace) -> None:
    executor = place.executor()
    order = replace(launch(executor), tier="heavy")
    await executor.start(order)
    config = place.fly.ever[0].asked["config"]
    assert config["guest"] == {"cpu_kind": "shared", "cpus": 4, "memory_mb": 4096}
    assert config["metadata"] == {"swarm_hub": HUB, "swarm_agent": order.agent_id}
    assert (config["auto_destroy"], config["restart"]) == (True, {"policy": "no"})
    assert set(config["env"]) == {"SWARM_HUB_URL", "SWARM_AGENT_ID", "SWARM_WORKER_TOKEN"}


@pytest.mark.parametrize(("token", "header"), [
    ("FlyV1 fm2_abc,fm2_def", "FlyV1 fm2_abc,fm2_def"),
    ("fm2_abc", "FlyV1 fm2_abc"),
    ("FlyV1 fm2_abc,fo1_old", "FlyV1 fm2_abc"),
    ("Bearer opaque", "Bearer opaque"),
    ("opaque", "Bearer opaque"),
])  # fmt: skip
def test_a_token_is_shown_in_its_own_scheme(token: str, header: str) -> None:
    assert FlyApp(token, "app", "image").authorization == header


async def test_a_token_that_is_no_good_shuts_the_place_and_fails_nobody(place: FlyPlace) -> None:
    executor = place.of(replace(place.app, token="wrong"))
    with pytest.raises(Shut):
        await executor.start(launch(executor))
    assert "401" in await executor.ready()


async def test_an_app_that_is_not_there_is_told(place: FlyPlace) -> None:
    executor: FlyExecutor = place.of(replace(place.app, app="missing"))
    assert "no app missing" in await executor.ready()
    with pytest.raises(Shut):
        await executor.start(replace(launch(executor), first=True))


async def test_an_app_that_is_there_is_ready(place: FlyPlace) -> None:
    assert await place.executor().ready() == ""


@pytest.mark.parametrize(("status", "body", "kind"), [
    (409, {"error": 'already_exists: unique machine name violation, machine ID 1a already exists'}, Exists),
    (422, {"error": "could not find a candidate host", "status": "insufficient_capacity"}, NoCapacity),
    (412, {"error": "insufficient resources to create new machine with existing volume"}, NoCapacity),
    (409, {"error": "aborted: could not reserve resource for machine: insufficient CPUs available"}, HostFull),
    (409, {"error": "aborted: insufficient IPs available to fulfill request"}, HostFull),
    (409, {"error": "aborted: no capacity"}, NoCapacity),
    (409, {"error": "aborted: machine ID 1 lease currently held by x@tokens.fly.io"}, Throttled),
    (412, {"error": "failed_precondition: machine is still stopping"}, Throttled),
    (408, {"error": "deadline_exceeded: upstream"}, Ambiguous),
    (500, {}, Ambiguous), (502, None, Ambiguous), (503, {}, Ambiguous), (504, {}, Ambiguous),
    (429, {}, Throttled), (401, {}, Shut), (403, {}, Shut), (404, {"error": "invalid machine ID, 'x'"}, Gone),
    (400, {"error": "invalid_argument: x"}, Refused),
])  # fmt: skip
def test_each_refusal_has_its_class(status: int, body: object, kind: type[Exception]) -> None:
    response = httpx.Response(status, json=body) if body is not None else httpx.Response(status, text="<html>")
    assert type(judge(response)) is kind


def test_a_throttled_call_tells_how_long_to_wait() -> None:
    assert judge(httpx.Response(429, headers={"Retry-After": "17"})).retry_after == 17


@pytest.mark.parametrize(("state", "events", "seen"), [
    ("created", [], Observation("alive")),
    ("destroying", [{"type": "destroy", "request": None}], Observation("alive")),
    ("somewhere", [], Observation("unknown", detail="its machine is 'somewhere'")),
    ("stopped", [{"type": "exit", "timestamp": 2, "request": {"MonitorEvent": {"exit_event": {"exit_code": 3}}}},
                 {"type": "exit", "timestamp": 1, "request": {"exit_event": {"exit_code": 9}}}],
     Observation("exited", 3, "the worker ended with 3")),
    ("destroyed", [{"type": "exit", "timestamp": 1, "request": {"exit_event": {"exit_code": 0, "guest_exit_code": 1}}}],
     Observation("exited", 0)),
])  # fmt: skip
def test_a_machine_is_read_as_it_is(state: str, events: list[dict[str, object]], seen: Observation) -> None:
    assert observe({"state": state}, events) == seen


def test_a_host_that_is_not_reached_proves_nothing() -> None:
    assert observe({"state": "started", "host_status": "unreachable", "config": None}, []).state == "unknown"
