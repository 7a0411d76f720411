"""An agent that comes to the end of its budget is told once to stop and keeps its work; its task ends with `budget`."""

from pathlib import Path

import pytest

from budgets.calling import CENTS_10, calling, says, upstream
from budgets.clock import Clock
from budgets.conftest import MONEY
from budgets.spending import events, limit, reserved, spend
from gateway.conftest import Playing
from hub.played import PlayedHub, Worker, played_hub
from scripted_api import ScriptedApi
from swarm_api.base import CENT
from swarm_api.tasks import Task
from swarm_api.worker import UsageReport
from swarm_executors.protocol import Observation
from swarm_hub.transitions import change_task

STOP = {"c": 1, "kind": "cancel", "reason": "budget", "interrupt": False}
TOO_MUCH = 1_000_000  # tokens out: 15 dollars


async def spent(hub: PlayedHub, **fields: object) -> tuple[Task, Worker]:
    """A task with 150 cents, all of which its agent says it has spent."""
    task, worker = await hub.running(budgetCents=150, **fields)
    assert await spend(worker, 150) == [STOP]
    return task, worker


def ended(task: Task) -> tuple[str, str, str | None]:
    assert task.result is not None
    return task.status, task.result.status, task.result.error.code if task.result.error else None


async def refused(agent: Playing) -> str:
    """What a call is told for which there is not enough: the shortest answer worth asking for costs 24 cents."""
    answer = await agent.ask("Go", max_tokens=TOO_MUCH)
    assert answer.status_code == 403
    body = answer.json()
    assert (body["type"], body["error"]["type"]) == ("error", "permission_error")
    return str(body["error"]["message"])


async def test_a_call_that_may_cost_too_much_is_refused_in_the_messages_apis_form_and_never_sent(
    metered: PlayedHub, api: ScriptedApi
) -> None:
    agent = await calling(metered, budgetCents=20)
    assert (await refused(agent)).startswith("budget: ")
    assert api.seen == []
    assert await agent.calls() == []


async def test_an_agent_that_is_refused_is_told_once_to_stop(metered: PlayedHub) -> None:
    agent = await calling(metered, budgetCents=20)
    for _ in range(3):
        await refused(agent)
    assert (await agent.worker.report())["control"] == [STOP]


async def test_the_end_of_its_budget_is_one_event(metered: PlayedHub) -> None:
    agent = await calling(metered, budgetCents=20)
    for _ in range(3):
        await refused(agent)
    (event,) = await events(metered, "budget_exceeded")
    assert event.payload == {
        "taskId": agent.task.id, "agentId": agent.worker.agent_id, "scope": "task", "limitCents": 20, "spentCents": 0,
    }  # fmt: skip


async def test_its_task_ends_with_budget_and_its_work_is_kept(metered: PlayedHub) -> None:
    agent = await calling(metered, budgetCents=20)
    await refused(agent)
    await agent.worker.finish(status="budget", error_code="budget_exceeded", branch="swarm/it", commit="c" * 40)
    task = await metered.client.task(agent.task.id)
    assert ended(task) == ("failed", "budget", "budget_exceeded")
    assert task.result is not None
    assert (task.result.branch, task.result.commit) == ("swarm/it", "c" * 40)


async def test_an_agent_by_its_own_report_is_told_too(hub: PlayedHub) -> None:
    task, worker = await hub.running(budgetCents=150)
    assert await spend(worker, 149) == []
    assert await spend(worker, 1) == [STOP]
    assert await spend(worker, 1) == [STOP], "it is said until it is heard, and is one and the same"
    (event,) = await events(hub, "budget_exceeded", task=task)
    assert (event.payload["scope"], event.payload["limitCents"], event.payload["spentCents"]) == ("task", 150, 150)


async def test_a_worker_that_waits_for_control_hears_of_it_at_once(hub: PlayedHub) -> None:
    _task, worker = await hub.running(budgetCents=150)
    ack = await worker.report(UsageReport(model="claude-sonnet-4-5", output=1, cost_micro_usd=1_500_000), wait=20)
    assert ack["control"] == [STOP]


@pytest.mark.parametrize(
    "result",
    [
        {"status": "budget", "error_code": "budget_exceeded"},
        {"status": "failure", "error_code": "api_error"},
        {"status": "failure", "error_code": "runtime_crashed"},
        {"status": "cancelled"},
        {"status": "timeout"},
    ],
    ids=lambda result: "-".join(result.values()),
)
async def test_however_it_says_that_it_stopped_it_ended_for_money(hub: PlayedHub, result: dict[str, str]) -> None:
    task, worker = await spent(hub, maxAttempts=3)
    await worker.finish(**result)
    assert ended(await hub.client.task(task.id)) == ("failed", "budget", "budget_exceeded")


async def test_the_error_says_in_dollars_what_was_spent_of_what(hub: PlayedHub) -> None:
    task, worker = await spent(hub)
    await worker.finish(status="cancelled")
    result = (await hub.client.task(task.id)).result
    assert result is not None
    assert result.error is not None
    assert result.error.message.startswith("$1.50 of its budget of $1.50 are spent")


async def test_a_success_that_came_all_the_same_stands(hub: PlayedHub) -> None:
    task, worker = await spent(hub)
    await worker.finish()
    assert ended(await hub.client.task(task.id)) == ("completed", "success", None)


async def test_a_users_cancel_wins(hub: PlayedHub) -> None:
    task, worker = await spent(hub)
    await hub.client.cancel(task.id)
    await worker.finish(status="budget", error_code="budget_exceeded")
    assert ended(await hub.client.task(task.id)) == ("cancelled", "cancelled", "cancelled")


async def test_a_worker_that_is_lost_then_costs_no_other_attempt(hub: PlayedHub) -> None:
    task, worker = await spent(hub, maxAttempts=3)
    hub.stage.ended[worker.agent_id] = Observation("lost", detail="the machine went away")
    done = await hub.client.wait(task.id)
    assert ended(done) == ("failed", "budget", "budget_exceeded")
    assert (done.attempts, (await hub.client.agent(worker.agent_id)).status) == (1, "lost")


async def test_a_crash_with_money_left_costs_another_attempt_and_not_its_budget(hub: PlayedHub) -> None:
    task, worker = await hub.running(budgetCents=150, maxAttempts=3)
    await spend(worker, 149)
    await worker.finish(status="failure", error_code="runtime_crashed")
    second = await hub.worker(task.id, attempt=2)
    assert await reserved(hub, second) == 1
    await second.claim()
    assert await spend(second, 1) == [STOP]


async def test_a_crash_of_an_agent_that_spent_the_last_of_it_ends_with_budget(
    metered: PlayedHub, api: ScriptedApi
) -> None:
    """Though nobody had refused it anything yet."""
    api.scripts["Go"] = says(CENTS_10)
    agent = await calling(metered, budgetCents=20, maxAttempts=3)
    await agent.ask("Go", max_tokens=10_000)
    await metered.parts.store.write(lambda tx: change_task(tx, agent.task.id, budget_micro_usd=10 * CENT))
    await agent.worker.finish(status="failure", error_code="runtime_crashed")
    assert ended(await metered.client.task(agent.task.id)) == ("failed", "budget", "budget_exceeded")


async def test_what_ends_with_budget_ends_what_depends_on_it(hub: PlayedHub) -> None:
    task, worker = await spent(hub)
    behind = await hub.client.submit({"prompt": "Go", "dependsOn": [task.id]})
    await worker.finish(status="budget")
    assert ended(await hub.client.task(behind.id)) == ("cancelled", "cancelled", "dependency_failed")


async def test_a_task_that_may_spend_nothing_ends_with_its_first_call(metered: PlayedHub, api: ScriptedApi) -> None:
    agent = await calling(metered, budgetCents=0)
    answer = await agent.ask("Go", max_tokens=1)
    assert answer.status_code == 403
    await agent.worker.finish(status="failure", error_code="api_error")
    assert ended(await metered.client.task(agent.task.id)) == ("failed", "budget", "budget_exceeded")
    assert api.seen == []


async def test_simulated_agents_reserve_and_cost_nothing(tmp_path: Path, clock: Clock) -> None:
    async with played_hub(tmp_path, clock, **{**MONEY, "daily_budget_cents": 0}, simulate=True) as hub:
        task, worker = await hub.running(budgetCents=400)
        assert await reserved(hub, worker) == 0
        await worker.finish()
        shown = (await hub.client.budget()).daily
        assert (shown.spent_cents, shown.reserved_cents) == (0, 0)
        assert (await hub.client.task(task.id)).status == "completed"


class TestWithAnInjectedKey:
    """Where no gateway counts, what the runtime says counts, and the budget stops it all the same."""

    async def test_the_order_says_what_it_may_spend(self, tmp_path: Path, clock: Clock, api: ScriptedApi) -> None:
        async with played_hub(tmp_path, clock, **MONEY, **upstream(api), anthropic_key_mode="inject") as hub:
            task = await hub.client.submit({"prompt": "Go", "budgetCents": 150, "maxAttempts": 2})
            worker = await hub.worker(task.id)
            assert (await worker.claim())["limits"]["maxBudgetMicroUsd"] == 1_500_000

    async def test_another_attempt_is_told_what_is_left(self, tmp_path: Path, clock: Clock, api: ScriptedApi) -> None:
        async with played_hub(tmp_path, clock, **MONEY, **upstream(api), anthropic_key_mode="inject") as hub:
            task, worker = await hub.running(budgetCents=150, maxAttempts=2)
            await spend(worker, 100)
            await worker.finish(status="failure", error_code="runtime_crashed")
            worker = await hub.worker(task.id, attempt=2)
            first = await worker.claim()
            assert first["limits"]["maxBudgetMicroUsd"] == 500_000
            await spend(worker, 20)
            assert await worker.claim() == first, "asked again, it is the same"

    async def test_what_it_reports_counts_and_stops_it(self, tmp_path: Path, clock: Clock, api: ScriptedApi) -> None:
        async with played_hub(tmp_path, clock, **MONEY, **upstream(api), anthropic_key_mode="inject") as hub:
            _task, worker = await hub.running(budgetCents=150)
            assert await spend(worker, 160) == [STOP]
            assert (await hub.client.budget()).daily.spent_cents == 160


@pytest.mark.parametrize("settings", [{"runtime": "claude"}, {"runtime": "scripted"}])
async def test_no_other_order_has_a_limit_for_the_runtime(
    tmp_path: Path, clock: Clock, settings: dict[str, str]
) -> None:
    async with played_hub(tmp_path, clock, **MONEY, **settings) as hub:
        task = await hub.client.submit({"prompt": "Go"})
        assert "maxBudgetMicroUsd" not in (await (await hub.worker(task.id)).claim())["limits"]


async def test_money_that_comes_too_late_changes_nothing(hub: PlayedHub) -> None:
    """It was told to stop, and is stopping."""
    task, worker = await spent(hub)
    await limit(hub, daily_cents=100_000)
    await worker.finish(status="failure", error_code="api_error")
    assert ended(await hub.client.task(task.id)) == ("failed", "budget", "budget_exceeded")
