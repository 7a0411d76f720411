"""The bill when something breaks: never less than what arrived, never more than was held for it, and nothing twice."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude.bill import Call, all_say, answered, bill, books, calls, price, until_settled
from claude.conversations import BEGIN, END, SONNET
from claude.driving import KEY, bash, make_order, run
from claude.test_end_to_end import kill
from hub.played import played_hub
from hubs import HubProcess
from scripted_api import Drop, Fault, Hang, Reset, ScriptedApi, Seen, Status, StreamError, Text, Truncate, Turn, Usage
from swarm_api.client import HubClient
from swarm_api.tasks import Task
from swarm_api.worker import Upstream, UsageReport
from swarm_worker.runtimes import Place

STORY = Turn((Text("Once upon a time there was a very long story."),), BEGIN, (Hang(after=4),))
STARTED = Usage(10_003, 1, cache_read=25, cache_write_5m=3_001, cache_write_1h=41)
"""What the first event of an answer that uses `BEGIN` says."""
HEARD = replace(STARTED, output=12)
"""The first four bring 48 characters of text, too: 12 tokens at least."""


def is_hanging(seen: Seen) -> bool:
    return seen.outcome == "hanging"


def guessed(call: Call, least: Usage = HEARD) -> bool:
    """Whether a call is booked as one of which only the beginning was heard."""
    return call.estimated is not None and price(SONNET, least) <= call.cost <= call.hold


async def reserved(client: HubClient) -> int:
    return (await client.budget()).daily.reserved_micro_usd


async def asked_with(api: ScriptedApi, client: HubClient, *faults: Fault) -> Task:
    """A task of two answers, the first of which meets the faults."""
    api.scripts["Persist"] = [
        Turn((Text("I begin, with so many words that they come in pieces."), bash("true")), BEGIN, faults),
        Turn((Text("Done."),), END),
    ]
    return await client.wait((await client.submit({"prompt": "Persist."})).id)


async def test_what_the_api_refuses_costs_nothing(api: ScriptedApi, client: HubClient, hub: HubProcess) -> None:
    task = await asked_with(api, client, Status(529), Status(529), Status(500, "api_error"))
    assert [seen.outcome for seen in api.seen] == ["529", "529", "500", "answered", "answered"]
    assert await books(client, hub.data_dir, [task]) == all_say(bill([(SONNET, BEGIN), (SONNET, END)]))


@pytest.mark.parametrize(
    ("fault", "arrived"),
    # A reset takes along what is still under way.
    [(Drop(after=4), HEARD), (Truncate(after=4), HEARD), (StreamError(after=4), HEARD), (Reset(after=4), STARTED)],
    ids=repr,
)
async def test_a_stream_that_breaks_off_costs_what_arrived_and_at_most_its_hold(
    api: ScriptedApi, client: HubClient, hub: HubProcess, fault: Fault, arrived: Usage
) -> None:
    await asked_with(api, client, fault)
    broken, *others = calls(hub.data_dir)
    assert guessed(broken, arrived), broken
    assert [(call.cost, call.estimated) for call in others] == [(bill([one]), None) for one in answered(api)]


async def test_a_stream_that_breaks_off_is_on_every_book_alike(
    api: ScriptedApi, client: HubClient, hub: HubProcess
) -> None:
    task = await asked_with(api, client, Drop(after=4), Truncate(after=5))
    told = await books(client, hub.data_dir, [task])
    assert told == all_say(told["calls"])
    assert task.usage.by_model[SONNET].cost_basis == "estimated"


async def test_after_a_stream_that_broke_off_nothing_stays_set_aside(api: ScriptedApi, client: HubClient) -> None:
    await asked_with(api, client, Drop(after=4))
    assert await reserved(client) == 0


async def killed_in_mid_stream(api: ScriptedApi, client: HubClient, hub: HubProcess) -> Task:
    """A task whose worker was killed while its second answer came, at its end, with all calls settled."""
    api.scripts["Tell"] = [Turn((bash("true"),), END), STORY]
    task = await client.submit({"prompt": "Tell."})
    await api.wait_for(is_hanging)
    kill(hub, "swarm-worker")
    task = await client.wait(task.id)
    await until_settled(hub.data_dir)
    return await client.task(task.id)


async def test_a_killed_worker_pays_for_what_it_heard_and_at_most_its_hold(
    api: ScriptedApi, client: HubClient, hub: HubProcess
) -> None:
    await killed_in_mid_stream(api, client, hub)
    whole, broken = calls(hub.data_dir)
    assert (whole.cost, whole.estimated) == (price(SONNET, END), None)
    assert guessed(broken), broken


async def test_a_killed_worker_is_on_every_book_alike_and_keeps_nothing_set_aside(
    api: ScriptedApi, client: HubClient, hub: HubProcess
) -> None:
    task = await killed_in_mid_stream(api, client, hub)
    told = await books(client, hub.data_dir, [task])
    assert told == all_say(told["calls"])
    assert await reserved(client) == 0


async def test_the_attempt_after_a_killed_worker_is_on_the_same_bill(
    api: ScriptedApi, client: HubClient, hub: HubProcess
) -> None:
    api.scripts["Tell"] = [STORY, Turn((Text("Told."),), END)]
    task = await client.submit({"prompt": "Tell.", "maxAttempts": 2})
    await api.wait_for(is_hanging)
    kill(hub, "swarm-worker")
    task = await client.wait(task.id)
    assert (task.status, task.attempts) == ("completed", 2)
    broken, *whole = calls(hub.data_dir)
    assert await books(client, hub.data_dir, [task]) == all_say(broken.cost + bill(answered(api)))
    assert [call.cost for call in whole] == [bill([one]) for one in answered(api)]


async def test_a_call_in_which_the_hub_was_killed_costs_its_hold_and_the_task_goes_on(
    api: ScriptedApi, client: HubClient, hub: HubProcess
) -> None:
    api.scripts["Tell"] = [STORY]
    task = await client.submit({"prompt": "Tell."})
    await api.wait_for(is_hanging)
    await asyncio.to_thread(hub.kill)
    await asyncio.to_thread(hub.start)
    task = await client.wait(task.id)
    broken, whole = calls(hub.data_dir)
    assert (task.status, broken.cost, whole.cost) == ("completed", broken.hold, price(SONNET, BEGIN))
    assert await books(client, hub.data_dir, [task]) == all_say(broken.cost + whole.cost)
    assert await reserved(client) == 0


LIES = [
    UsageReport(model=SONNET, input=10**6, output=10**6, cost_micro_usd=10**9),
    UsageReport(model="claude-that-nobody-asked", output=1, cost_micro_usd=1),
    UsageReport(model=SONNET),
]


@pytest.mark.parametrize("lies", [[], LIES], ids=["silent", "lying"])
async def test_a_worker_that_lies_about_its_cost_changes_nothing(
    tmp_path: Path, api: ScriptedApi, place: Place, lies: list[UsageReport]
) -> None:
    """The test is the worker: it runs Claude, and tells of its cost nothing, or what is not so."""
    api.scripts["Work"] = [Turn((bash("true"),), BEGIN), Turn((Text("Done."),), END)]
    settings: dict[str, Any] = {"runtime": "claude", "anthropic_api_key": KEY, "anthropic_base_url": api.url}
    async with played_hub(tmp_path, **settings) as hub:
        task = await hub.client.submit({"prompt": "Work"})
        worker = await hub.worker(task.id)
        told = (await worker.claim())["upstream"]
        upstream = Upstream(base_url=told["baseUrl"], api_key=told["apiKey"])
        await worker.report(*lies)
        await run(make_order(told["baseUrl"], "Work", upstream=upstream), place)
        await worker.report(*lies)
        await worker.finish()
        assert await books(hub.client, tmp_path / "data", [task]) == all_say(bill([(SONNET, BEGIN), (SONNET, END)]))
