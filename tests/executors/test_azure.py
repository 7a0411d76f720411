"""What is Azure's own about running workers there: templates, matches, ends, tokens; and every call spoiled in turn."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, NamedTuple

import httpx
import pytest

from executors.azure_place import AzurePlace
from executors.clouds import FAULTS, Fault
from executors.conformance import HUB, launch
from executors.fake_azure import model_faults
from executors.waiting import again, until_ended
from swarm_executors.azure import AzureExecutor
from swarm_executors.azure_errors import judge
from swarm_executors.azure_jobs import observe
from swarm_executors.azure_tokens import SCOPE, Tokens
from swarm_executors.calls import Patience
from swarm_executors.protocol import (
    Ambiguous,
    Gone,
    NoCapacity,
    Observation,
    Refused,
    Shut,
    Throttled,
)
from waiting import until

HASTY = Patience(timeout=0.3, tries=3, first=0.001, most=0.002)
CALLS = 7  # of one life: looked for, started, looked at, stopped (three), looked at


@pytest.fixture
async def place() -> AsyncIterator[AzurePlace]:
    async with AzurePlace() as place:
        yield place
        assert place.azure.faults == []


async def test_a_start_names_the_whole_container(place: AzurePlace) -> None:
    executor = place.executor()
    order = replace(launch(executor), tier="heavy")
    await executor.start(order)
    [container] = place.azure.ever[0].template["containers"]
    assert container["resources"] == {"cpu": 4.0, "memory": "8Gi"}
    assert container["image"] == "registry.example/worker:1"
    assert {each["name"]: each["value"] for each in container["env"]} == {
        "SWARM_HUB_URL": order.hub_url, "SWARM_AGENT_ID": order.agent_id, "SWARM_WORKER_TOKEN": order.token,
        "SWARM_HUB_ID": HUB,
    }  # fmt: skip


async def test_what_is_shown_fits_the_published_models(place: AzurePlace) -> None:
    executor = place.executor()
    await executor.start(launch(executor))
    assert model_faults("JobExecution", place.azure.ever[0].shown()) == []


async def test_a_start_that_is_accepted_without_a_name_is_found(place: AzurePlace) -> None:
    place.azure.accepted = True
    executor = place.executor()
    order = launch(executor)
    handle = await executor.start(order)
    assert handle["execution"] == place.azure.ever[0].name
    assert place.starts(order.agent_id) == 1


async def test_an_execution_on_a_later_page_is_found(place: AzurePlace) -> None:
    executor = place.executor()
    order = launch(executor)
    handle = await executor.start(order)
    for _ in range(7):
        await executor.start(replace(launch(executor), first=True))
    assert await executor.start(order) == handle


async def test_a_start_that_the_list_knows_late_is_not_repeated(place: AzurePlace) -> None:
    place.azure.accepted, place.azure.unseen = True, 3
    executor = place.executor()
    order = launch(executor)
    await executor.start(order)
    assert place.starts(order.agent_id) == 1


async def test_a_surplus_execution_is_ended_and_the_first_one_kept(place: AzurePlace) -> None:
    executor = place.executor()
    order = launch(executor)
    handle = await executor.start(order)
    await executor.start(replace(order, first=True))
    assert await executor.start(order) == handle
    await until(lambda: len(place.azure.running(order.agent_id)) == 1)


async def test_too_much_memory_is_told_apart(place: AzurePlace) -> None:
    async def greedy(_: Any) -> int:
        raise MemoryError

    executor = place.executor()
    place.azure.program = greedy
    handle = await executor.start(launch(executor))
    await until_ended(executor, handle)
    seen = await executor.poll(handle)
    assert (seen.state, seen.exit_code, seen.cause) == ("exited", 137, "out_of_memory")


@pytest.mark.parametrize(("changed", "said"), [
    ({}, ""), ({"replicaRetryLimit": 1}, "replicaRetryLimit"), ({"triggerType": "Schedule"}, "triggerType"),
    ({"manualTriggerConfig": {"parallelism": 2}}, "parallelism"),
])  # fmt: skip
async def test_a_job_that_would_run_workers_twice_is_told(
    place: AzurePlace, changed: dict[str, Any], said: str
) -> None:
    place.azure.configuration |= changed
    found = await place.executor().ready()
    assert said in found
    assert bool(found) == bool(said)


async def test_a_job_that_is_not_there_shuts_the_place_and_fails_nobody(place: AzurePlace) -> None:
    executor = place.of(replace(place.job, job="missing"))
    assert "no job missing" in await executor.ready()
    with pytest.raises(Shut):
        await executor.start(replace(launch(executor), first=True))


async def test_a_token_that_is_no_good_shuts_the_place_and_fails_nobody(place: AzurePlace) -> None:
    executor = place.of(place.job, token="Bearer wrong")
    with pytest.raises(Shut):
        await executor.start(launch(executor))


async def test_a_page_at_another_address_is_not_shown_the_token(place: AzurePlace) -> None:
    executor = place.executor()
    with pytest.raises(Refused):
        executor._own("https://elsewhere.example/page")


@pytest.mark.parametrize(("status", "code", "kind"), [
    (401, "x", Shut), (403, "AuthorizationFailed", Shut), (404, "ResourceNotFound", Gone), (409, "Conflict", Throttled),
    (429, "TooManyRequests", Throttled), (408, "x", Ambiguous), (500, "x", Ambiguous), (503, "x", Ambiguous),
    (400, "InvalidRequest", Refused), (400, "MaxNumberOfRegionalEnvironmentsExceeded", NoCapacity),
    (409, "ManagedEnvironmentCoresQuotaExceeded", NoCapacity),
])  # fmt: skip
def test_each_refusal_has_its_class(status: int, code: str, kind: type[Exception]) -> None:
    assert type(judge(httpx.Response(status, json={"error": {"code": code, "message": "m"}}))) is kind


@pytest.mark.parametrize(("status", "seen"), [
    ("Running", Observation("alive")), ("Processing", Observation("alive")),
    ("Unknown", Observation("unknown", None, "its execution is 'Unknown'")),
    ("Succeeded", Observation("exited", 0)), ("Degraded", Observation("exited", None, "its execution is Degraded")),
])  # fmt: skip
def test_an_execution_is_read_as_it_is(status: str, seen: Observation) -> None:
    assert observe({"name": "x", "properties": {"status": status}}) == seen


class Given(NamedTuple):
    token: str
    expires_on: int


async def test_a_token_is_asked_for_once_until_it_is_about_to_end() -> None:
    asked: list[str] = []

    def ask(scope: str) -> Given:
        asked.append(scope)
        return Given(f"token {len(asked)}", int(time.time()) + (301 if len(asked) > 1 else 10))

    tokens = Tokens(ask)
    assert [(await tokens.header())["Authorization"] for _ in range(3)] == ["Bearer token 1", *["Bearer token 2"] * 2]
    assert asked == [SCOPE, SCOPE]


async def test_an_identity_that_is_not_there_shuts_the_place() -> None:
    def ask(_: str) -> Given:
        raise ValueError("no credential\nsecond line")

    with pytest.raises(Shut, match=r"no credential$"):
        await Tokens(ask).header()


async def life(executor: AzureExecutor) -> tuple[str, str]:
    """Of one worker: started, looked at, stopped, looked at until it is known how it ended."""
    order = launch(executor)
    handle = await again(lambda: executor.start(order))
    assert (await executor.poll(handle)).state in ("alive", "unknown")
    await again(lambda: executor.stop(handle, 1))
    async with asyncio.timeout(10):
        while (seen := (await executor.poll(handle)).state) == "unknown":  # noqa: ASYNC110 - polling is what is tested
            await asyncio.sleep(0)
    return handle["agentId"], seen


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", range(CALLS))
async def test_one_spoiled_call_doubles_nothing_and_loses_nothing(call: int, fault: Fault) -> None:
    async with AzurePlace() as place:
        place.faulty.plan = lambda number: fault if number == call else None
        agent_id, seen = await life(place.of(place.job, HASTY))
        assert seen == "exited"
        assert len(place.faulty.calls) >= CALLS
        assert place.starts(agent_id) == 1
        assert not place.is_running(agent_id)
        assert place.azure.faults == []
