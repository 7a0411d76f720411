"""Odd labels, many limits, huge amounts and wrong tokens change nothing of what holds."""

import time

import pytest

from budgets.calling import calling
from budgets.clock import Clock
from budgets.spending import limit, spend, waits_for_money
from hub.played import PlayedHub
from swarm_api.budget import LabelLimit
from swarm_api.worker import UsageReport

MOST = 2**53


@pytest.mark.parametrize(
    "value",
    [
        "", "'", '"', "' OR 1=1 --", "100%", "%s", "_", "a=b", "=", ":label", "日本 🧑‍🚀", "e\u0301", "a\nb", "\\",
        "?", "red ", "x" * 256,
    ],
)  # fmt: skip
async def test_a_labels_limit_binds_exactly_that_text(hub: PlayedHub, value: str) -> None:
    await limit(hub, LabelLimit(label=f"team={value}", limit_cents=500))
    _task, worker = await hub.running(labels={"team": value})
    await spend(worker, 50)
    (shown,) = (await hub.client.budget()).labels
    assert (shown.label, shown.spent_cents, shown.reserved_cents) == (f"team={value}", 50, 350)
    await waits_for_money(hub, await hub.client.submit({"prompt": "Go", "labels": {"team": value}}))
    await hub.running(labels={"team": "other"})
    assert (await hub.client.queue()).blocked["budget"] == 1


@pytest.mark.parametrize("other", ["RED", "re", "red2", "r_d", "e\u0301"])
async def test_labels_that_look_alike_are_others(hub: PlayedHub, other: str) -> None:
    await limit(hub, LabelLimit(label="team=red", limit_cents=0), LabelLimit(label="team=\u00e9", limit_cents=0))
    await hub.running(labels={"team": other})


async def test_two_hundred_limits_on_labels_are_held(hub: PlayedHub) -> None:
    labels = [LabelLimit(label=f"n={i}", limit_cents=i, period="week" if i % 2 else "day") for i in range(200)]
    shown = await limit(hub, *labels, daily_cents=10**9, weekly_cents=10**9)
    assert [each.limit_cents for each in shown.labels] == list(range(200))
    tasks = [{"prompt": "Go", "budgetCents": 150, "labels": {"n": str(i)}} for i in (149, 150)]
    short, fits = await hub.client.submit_batch(tasks)
    await hub.worker(fits.id)
    assert (await waits_for_money(hub, short)).detail == "it needs $1.50, and the budget of n=149 is $1.49 in all"


async def test_a_task_with_all_the_labels_it_may_have_is_bound_by_each(hub: PlayedHub) -> None:
    await limit(hub, *(LabelLimit(label=f"k{i}=v", limit_cents=400 + i) for i in range(32)))
    labels = {f"k{i}": "v" for i in range(32)}
    _task, worker = await hub.running(labels=labels)
    await spend(worker, 1)
    shown = (await hub.client.budget()).labels
    assert {each.spent_cents for each in shown} == {1}
    await waits_for_money(hub, await hub.client.submit({"prompt": "Go", "budgetCents": 1, "labels": labels}))


async def test_limits_as_large_as_they_may_be_hold(hub: PlayedHub) -> None:
    shown = await limit(hub, daily_cents=10**9, weekly_cents=10**9)
    assert shown.daily.remaining_cents == 10**9
    task, _worker = await hub.running(budgetCents=10**9)
    assert task.budget_cents == 10**9
    assert (await hub.client.budget()).daily.remaining_cents == 0


async def test_a_worker_that_claims_to_have_spent_the_world_stops_no_hub(hub: PlayedHub, clock: Clock) -> None:
    """The books take amounts as large as they can keep, and go on."""
    _task, worker = await hub.running(labels={"team": "red"})
    await limit(hub, LabelLimit(label="team=red", limit_cents=100, period="week"))
    for _ in range(3):
        await worker.report(*[UsageReport(model="m", cost_micro_usd=MOST)] * 1_000)
    shown = await hub.client.budget()
    assert (shown.state, shown.daily.remaining_cents, shown.labels[0].remaining_cents) == ("exceeded", 0, 0)
    await waits_for_money(hub, await hub.client.submit({"prompt": "Go"}))
    clock.set("2026-11-23T00:00:00Z")
    await hub.running()


async def test_what_an_agent_holds_opens_no_budget(metered: PlayedHub) -> None:
    agent = await calling(metered)
    for token in (agent.upstream["apiKey"], agent.worker.token):
        for method in ("GET", "PUT"):
            shown = {"Authorization": f"Bearer {token}", "x-api-key": token}
            answer = await metered.http.request(method, "/api/budget", json={"dailyCents": 10**9}, headers=shown)
            assert answer.status_code == 401
    assert (await metered.client.budget()).daily.limit_cents == 1_000


async def test_a_thousand_tasks_that_wait_are_shown_at_once(hub: PlayedHub) -> None:
    await limit(hub, *(LabelLimit(label=f"n={i}", limit_cents=0) for i in range(200)))
    await hub.client.submit_batch([{"prompt": "Go", "labels": {"n": str(i % 200)}} for i in range(1_000)])
    began = time.monotonic()
    shown = await hub.client.budget()
    assert (shown.waiting, (await hub.client.queue()).blocked["budget"]) == (1_000, 1_000)
    assert time.monotonic() - began < 2
