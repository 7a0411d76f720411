"""A task's budget is for all its attempts; a retry may give it more, which counts what it has spent already."""

from pathlib import Path

import pytest

from budgets.clock import Clock
from budgets.conftest import MONEY
from budgets.spending import reserved, spend, waits_for_money
from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_api.tasks import Task
from swarm_api.worker import ProgressReport


async def broke(hub: PlayedHub, **fields: object) -> Task:
    """A task that has spent its 150 cents and ended for it, in a session of its own."""
    task, worker = await hub.running(budgetCents=150, **fields)
    await worker.report(ProgressReport(session_id="s-1"))
    await spend(worker, 150)
    await worker.finish(status="budget", error_code="budget_exceeded")
    return await hub.client.task(task.id)


async def test_a_task_shows_its_budget(hub: PlayedHub) -> None:
    assert (await hub.client.submit({"prompt": "Go", "hold": True, "budgetCents": 123})).budget_cents == 123
    assert (await hub.client.submit({"prompt": "Go", "hold": True, "budgetCents": 0})).budget_cents == 0


async def test_a_task_that_names_none_has_that_of_the_setting_for_good(tmp_path: Path, clock: Clock) -> None:
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        task = await hub.client.submit({"prompt": "Go", "hold": True})
        assert task.budget_cents == 400
    async with played_hub(tmp_path, clock, **{**MONEY, "default_task_budget_cents": 7}) as hub:
        assert (await hub.client.task(task.id)).budget_cents == 400
        assert (await hub.client.submit({"prompt": "Go", "hold": True})).budget_cents == 7


async def test_without_more_it_is_not_retried(hub: PlayedHub) -> None:
    task = await broke(hub)
    answer = await hub.post(f"/api/tasks/{task.id}/retry", {})
    assert_problem(answer, 409, "budget_spent")
    assert "has spent 150 cents" in answer.json()["detail"]
    assert (await hub.client.task(task.id)) == task


async def test_with_more_its_budget_is_that_from_then_on_what_it_has_spent_included(hub: PlayedHub) -> None:
    task = await broke(hub)
    answer = await hub.post(f"/api/tasks/{task.id}/retry", {"budgetCents": 250})
    assert (answer.status_code, answer.json()["budgetCents"], answer.json()["costCents"]) == (202, 250, 150)
    worker = await hub.worker(task.id, attempt=2)
    assert await reserved(hub, worker) == 100
    await worker.claim()
    await spend(worker, 99)
    await worker.finish()
    done = await hub.client.task(task.id)
    assert (done.status, done.cost_cents) == ("completed", 249)


async def test_with_more_it_goes_on_with_its_session(hub: PlayedHub) -> None:
    task = await broke(hub)
    first = await hub.client.retry(task.id, budget_cents=250)
    order = await (await hub.worker(first.id, attempt=2)).claim()
    assert order["resume"]["sessionId"] == "s-1"


@pytest.mark.parametrize("wanted", [0, 149, 150])
async def test_what_is_not_more_than_it_has_spent_is_refused_by_name(hub: PlayedHub, wanted: int) -> None:
    task = await broke(hub)
    answer = await hub.post(f"/api/tasks/{task.id}/retry", {"budgetCents": wanted})
    assert_problem(answer, 422, "invalid_input", "budgetCents")
    (error,) = answer.json()["errors"]
    assert error["msg"] == f"is {wanted}, but task {task.id} has spent 150 cents already; allowed: more than that"
    assert (await hub.client.task(task.id)).status == "failed"


async def test_a_cent_more_than_it_has_spent_is_taken(hub: PlayedHub) -> None:
    task = await broke(hub)
    await hub.client.retry(task.id, budget_cents=151)
    assert await reserved(hub, await hub.worker(task.id, attempt=2)) == 1


@pytest.mark.parametrize("wanted", [-1, 1.5, "250", 10**9 + 1])
async def test_what_is_no_amount_is_refused_by_name(hub: PlayedHub, wanted: object) -> None:
    task = await broke(hub)
    answer = await hub.post(f"/api/tasks/{task.id}/retry", {"budgetCents": wanted})
    assert_problem(answer, 422, "invalid_input", "budgetCents")


async def test_a_task_that_failed_with_money_left_is_retried_with_what_is_left(hub: PlayedHub) -> None:
    task, worker = await hub.running(budgetCents=150)
    await spend(worker, 100)
    await worker.finish(status="failure", error_code="agent_failed")
    again = await hub.client.retry(task.id)
    assert again.budget_cents == 150
    assert await reserved(hub, await hub.worker(task.id, attempt=2)) == 50


async def test_a_task_that_failed_with_nothing_left_takes_more(hub: PlayedHub) -> None:
    """However it ended: its next call would be refused."""
    task, worker = await hub.running(budgetCents=150)
    await spend(worker, 150)
    await hub.client.cancel(task.id)
    await worker.finish(status="cancelled")
    assert_problem(await hub.post(f"/api/tasks/{task.id}/retry", {}), 409, "budget_spent")


async def test_a_retry_may_give_it_less_than_it_had(hub: PlayedHub) -> None:
    task, worker = await hub.running(budgetCents=300)
    await spend(worker, 100)
    await worker.finish(status="failure", error_code="agent_failed")
    await hub.client.retry(task.id, budget_cents=120)
    assert await reserved(hub, await hub.worker(task.id, attempt=2)) == 20


async def test_a_retry_without_room_waits(hub: PlayedHub) -> None:
    task = await broke(hub)
    again = await hub.client.retry(task.id, budget_cents=1_100)
    assert again.status == "pending"
    assert [reason.reason for reason in again.blocked_by] == ["budget"]
    assert "needs $9.50" in again.blocked_by[0].detail
    other = await hub.client.submit({"prompt": "Go", "budgetCents": 10_000})
    await waits_for_money(hub, other)
