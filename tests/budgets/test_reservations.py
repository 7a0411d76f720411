"""What is set aside for an agent falls by what it spends, and none of it is left when the agent has ended."""

import asyncio
from pathlib import Path

import pytest

from budgets.calling import CENTS_10, calling, says
from budgets.clock import Clock
from budgets.conftest import MONEY
from budgets.spending import reserved, spend, waits, waits_for_money
from hub.played import PlayedHub, Worker, played_hub
from scripted_api import Hang, ScriptedApi, Status
from swarm_executors.protocol import Handle, Launch, Observation, StartFailed
from swarm_hub import endings
from swarm_hub.gateway.asked import Asked
from swarm_hub.gateway.ledger import Answered


async def nothing_is_reserved(hub: PlayedHub) -> None:
    async with asyncio.timeout(20):
        while (await hub.client.budget()).daily.reserved_micro_usd:
            await hub.parts.scheduler.watch()


async def test_at_its_start_an_agents_whole_budget_is_set_aside(hub: PlayedHub) -> None:
    _task, worker = await hub.running(budgetCents=250)
    assert await reserved(hub, worker) == 250
    shown = (await hub.client.budget()).daily
    assert (shown.spent_cents, shown.reserved_cents, shown.remaining_cents) == (0, 250, 750)


async def test_it_falls_by_what_is_spent_and_what_is_left_for_others_stays(hub: PlayedHub) -> None:
    _task, worker = await hub.running()
    await spend(worker, 100)
    await spend(worker, 50.5)
    assert await reserved(hub, worker) == 249.5
    shown = (await hub.client.budget()).daily
    assert (shown.spent_micro_usd, shown.reserved_micro_usd) == (1_505_000, 2_495_000)
    assert shown.remaining_cents == 600


async def test_who_spends_more_than_was_set_aside_has_nothing_left_and_owes_nothing(hub: PlayedHub) -> None:
    _task, worker = await hub.running()
    await spend(worker, 500)
    assert await reserved(hub, worker) == 0
    shown = (await hub.client.budget()).daily
    assert (shown.spent_cents, shown.reserved_cents, shown.remaining_cents) == (500, 0, 500)


@pytest.mark.parametrize("status", ["success", "failure", "timeout", "budget", "cancelled"])
async def test_it_is_given_back_at_the_end_whatever_the_end_is(hub: PlayedHub, status: str) -> None:
    _task, worker = await hub.running()
    await spend(worker, 100)
    await worker.finish(status=status)
    assert await reserved(hub, worker) == 0
    assert (await hub.client.budget()).daily.remaining_cents == 900


async def test_it_is_given_back_when_the_worker_is_lost(hub: PlayedHub) -> None:
    _task, worker = await hub.running()
    await spend(worker, 100)
    hub.stage.ended[worker.agent_id] = Observation("lost", detail="the machine went away")
    await nothing_is_reserved(hub)
    assert (await hub.client.budget()).daily.remaining_cents == 900


async def test_it_is_given_back_when_a_cancel_is_accepted_before_the_worker_began(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go"})
    await hub.worker(task.id)
    await hub.client.cancel(task.id)
    assert (await hub.client.budget()).daily.reserved_cents == 0


async def test_it_is_kept_until_a_cancelled_worker_has_stopped(hub: PlayedHub) -> None:
    """It may still spend."""
    task, worker = await hub.running()
    await hub.client.cancel(task.id)
    assert await reserved(hub, worker) == 400
    await spend(worker, 10)
    await worker.finish(status="cancelled")
    assert await reserved(hub, worker) == 0
    assert (await hub.client.task(task.id)).cost_cents == 10


async def test_it_is_given_back_when_a_worker_ignores_a_cancel_and_what_it_says_later_is_refused(
    hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "CANCEL_GRACE_MS", 0)
    task, worker = await hub.running()
    await hub.client.cancel(task.id)
    await nothing_is_reserved(hub)
    assert (await worker.send([])).status_code == 409
    assert (await hub.client.task(task.id)).status == "cancelled"


async def test_it_is_given_back_when_the_worker_cannot_be_started(
    hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(launch: Launch) -> Handle:
        raise StartFailed(f"{launch.agent_id} cannot be started")

    monkeypatch.setattr(hub.stage, "start", refuse)
    task = await hub.client.wait((await hub.client.submit({"prompt": "Go"})).id)
    assert (task.status, (await hub.client.budget()).daily.reserved_cents) == ("failed", 0)


async def test_the_next_attempt_has_the_rest_of_its_tasks_budget(hub: PlayedHub) -> None:
    task, worker = await hub.running(maxAttempts=2)
    await spend(worker, 150)
    await worker.finish(status="failure", error_code="runtime_crashed")
    second = await hub.worker(task.id, attempt=2)
    assert await reserved(hub, second) == 250
    assert (await hub.client.budget()).daily.remaining_cents == 600


async def test_a_hub_that_is_restarted_has_set_aside_what_it_had(tmp_path: Path, clock: Clock) -> None:
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        task, worker = await hub.running()
        await spend(worker, 100)
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        same = Worker(hub.http, hub.stage, worker.agent_id, worker.token)
        same.last = worker.last
        assert await reserved(hub, same) == 300
        await spend(same, 50)
        assert await reserved(hub, same) == 250
        await same.finish()
        shown = (await hub.client.budget()).daily
        assert (shown.spent_cents, shown.reserved_cents) == (150, 0)
        assert (await hub.client.task(task.id)).status == "completed"


async def test_no_more_than_is_set_aside_is_held_for_a_call_and_given_back_with_its_answer(
    metered: PlayedHub, api: ScriptedApi
) -> None:
    api.scripts["Go"] = says(CENTS_10, Hang(after=2))
    agent = await calling(metered)
    asking = asyncio.create_task(agent.ask("Go", max_tokens=10_000))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    (call,) = await agent.calls()
    assert 100_005 < call.hold_micro_usd < 4_000_000
    assert await reserved(metered, agent.worker) == 400, "what is held is part of what is set aside"
    api.release()
    await asking
    assert (await metered.client.agent(agent.worker.agent_id)).reserved_micro_usd == 4_000_000 - 100_005


async def test_an_error_of_the_model_leaves_all_of_it(metered: PlayedHub, api: ScriptedApi) -> None:
    api.scripts["Go"] = says(CENTS_10, Status(529))
    agent = await calling(metered)
    await agent.ask("Go")
    assert await reserved(metered, agent.worker) == 400


async def test_a_call_that_is_open_when_its_agent_ends_stays_set_aside_until_it_is_settled(
    metered: PlayedHub, api: ScriptedApi
) -> None:
    api.scripts["Go"] = says(CENTS_10, Hang(after=2))
    agent = await calling(metered)
    asking = asyncio.create_task(agent.ask("Go", max_tokens=10_000))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    await agent.worker.finish()
    (call,) = await agent.calls()
    assert (await metered.client.agent(agent.worker.agent_id)).reserved_micro_usd == call.hold_micro_usd
    assert (await metered.client.budget()).daily.reserved_micro_usd == call.hold_micro_usd
    api.release()
    await asking
    shown = (await metered.client.budget()).daily
    assert (shown.spent_micro_usd, shown.reserved_micro_usd) == (100_005, 0)
    assert (await metered.client.task(agent.task.id)).cost_micro_usd == 100_005


async def test_another_attempt_begins_once_the_calls_of_the_last_one_are_settled(
    metered: PlayedHub, api: ScriptedApi
) -> None:
    """Both together might spend more than the task may."""
    api.scripts["Go"] = says(CENTS_10, Hang(after=2))
    agent = await calling(metered, maxAttempts=2)
    asking = asyncio.create_task(agent.ask("Go", max_tokens=10_000))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    await agent.worker.finish(status="failure", error_code="runtime_crashed")
    await metered.stage.stops(agent.worker.agent_id)
    await metered.parts.scheduler.tick()
    assert (await metered.client.task(agent.task.id)).attempts == 1
    api.release()
    await asking
    second = await metered.worker(agent.task.id, attempt=2)
    assert (await metered.client.agent(second.agent_id)).reserved_micro_usd == 4_000_000 - 100_005


async def test_what_the_last_call_of_an_ended_agent_gives_back_is_seen_at_once(tmp_path: Path, clock: Clock) -> None:
    """Also where it cost nothing, and where there is no place for who waits."""
    async with played_hub(tmp_path, clock, **MONEY, max_parallel_agents=1) as hub:
        store, book = hub.parts.store, hub.parts.gateway.ledger
        asked = Asked("claude-sonnet-4-5", 10_000, 1_000, guessed_tokens=500)
        _task, worker = await hub.running()
        await store.write(lambda tx: book.open(tx, "its last", worker.agent_id, asked))
        await worker.finish()
        await hub.running()
        task = await hub.client.submit({"prompt": "Go", "budgetCents": 600})
        await waits_for_money(hub, task)
        await store.write(lambda tx: book.settle(tx, "its last", asked, Answered(status=529)))
        assert await waits(hub, task) == []
