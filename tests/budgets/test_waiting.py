"""A task without room for its budget waits: it says for what, it is not failed, and it starts once there is room."""

from budgets.clock import Clock
from budgets.spending import events, limit, spend, spent_task, waits, waits_for_money
from hub.played import PlayedHub, Worker
from hub.problems import assert_problem
from swarm_api.base import rfc3339
from swarm_api.tasks import Task


async def full(hub: PlayedHub) -> list[Worker]:
    """Two agents, for whom $8 of the day's $10 are set aside."""
    return [(await hub.running())[1] for _ in range(2)]


async def submit(hub: PlayedHub, cents: int, **fields: object) -> Task:
    return await hub.client.submit({"prompt": "Go", "budgetCents": cents, **fields})


async def test_it_says_in_dollars_what_is_left_and_what_it_needs(hub: PlayedHub) -> None:
    await full(hub)
    reason = await waits_for_money(hub, await submit(hub, 400))
    assert reason.detail == "the day's budget has $2.00 of $10.00 left, and it needs $4.00"


async def test_there_is_no_time_where_the_end_of_a_running_agent_can_make_room(hub: PlayedHub) -> None:
    await full(hub)
    assert (await waits_for_money(hub, await submit(hub, 400))).until is None


async def test_there_is_a_time_where_only_a_new_day_makes_room(hub: PlayedHub) -> None:
    await spent_task(hub, 700, budgetCents=900)
    reason = await waits_for_money(hub, await submit(hub, 400))
    assert reason.until is not None
    assert rfc3339(reason.until) == "2026-11-19T00:00:00Z"
    assert reason.detail == "the day's budget has $3.00 of $10.00 left, and it needs $4.00"


async def test_of_day_and_week_the_one_that_holds_it_longest_is_named(hub: PlayedHub) -> None:
    await limit(hub, weekly_cents=1_000)
    await spent_task(hub, 700, budgetCents=900)
    reason = await waits_for_money(hub, await submit(hub, 400))
    assert reason.until is not None
    assert rfc3339(reason.until) == "2026-11-23T00:00:00Z"
    assert reason.detail.startswith("the week's budget has $3.00 of $10.00 left")


async def test_the_queue_and_the_budget_count_it(hub: PlayedHub) -> None:
    await full(hub)
    await submit(hub, 400)
    await submit(hub, 300)
    await submit(hub, 100, hold=True)
    queue = await hub.client.queue()
    assert (queue.pending, queue.ready, queue.blocked["budget"], queue.blocked["hold"]) == (3, 0, 2, 1)
    assert (await hub.client.budget()).waiting == 2


async def test_that_it_waits_is_journaled_once(hub: PlayedHub) -> None:
    await full(hub)
    task = await submit(hub, 400)
    for _ in range(3):
        await hub.parts.scheduler.tick()
    (event,) = await events(hub, "task_blocked")
    detail = "the day's budget has $2.00 of $10.00 left, and it needs $4.00"
    assert event.payload == {"taskId": task.id, "blockedBy": [{"reason": "budget", "detail": detail}]}
    assert (await hub.client.task(task.id)).seq == event.seq


async def test_that_it_waits_for_another_day_is_journaled_once_too(hub: PlayedHub) -> None:
    await spent_task(hub, 700, budgetCents=900)
    task = await submit(hub, 400)
    for _ in range(3):
        await hub.parts.scheduler.tick()
    (event,) = await events(hub, "task_blocked", task=task)
    assert event.payload["blockedBy"][0]["until"] == "2026-11-19T00:00:00Z"


async def test_that_it_waits_is_journaled_also_where_nothing_at_all_is_left(hub: PlayedHub) -> None:
    await spent_task(hub, 1_000, budgetCents=1_000)
    task = await submit(hub, 400)
    await hub.parts.scheduler.tick()
    assert len(await events(hub, "task_blocked", task=task)) == 1


async def test_to_execute_it_is_refused_with_the_reason(hub: PlayedHub) -> None:
    await full(hub)
    task = await submit(hub, 400, hold=True)
    answer = await hub.post(f"/api/execute/{task.id}")
    assert_problem(answer, 409, "blocked")
    detail = "the day's budget has $2.00 of $10.00 left, and it needs $4.00"
    assert answer.json()["blockedBy"] == [{"reason": "budget", "detail": detail}]
    assert (await hub.client.task(task.id)).blocked_by[0].reason == "hold"


async def test_to_execute_all_starts_what_has_room_and_names_the_rest(hub: PlayedHub, clock: Clock) -> None:
    tasks = []
    for _ in range(3):
        tasks.append(await submit(hub, 400, hold=True))
        clock.wait(minutes=1)
    done = (await hub.post("/api/execute/batch")).json()
    assert {agent["currentTask"] for agent in done["started"]} == {tasks[0].id, tasks[1].id}
    (left,) = done["blocked"]
    assert (left["taskId"], left["blockedBy"][0]["reason"]) == (tasks[2].id, "budget")
    assert (await hub.client.budget()).daily.reserved_cents == 800


async def test_it_starts_when_the_limit_is_raised(hub: PlayedHub) -> None:
    await full(hub)
    task = await submit(hub, 400)
    await waits_for_money(hub, task)
    await limit(hub, daily_cents=1_200)
    await hub.worker(task.id)


async def test_it_does_not_start_while_the_limit_is_a_cent_short(hub: PlayedHub) -> None:
    await full(hub)
    task = await submit(hub, 400)
    await limit(hub, daily_cents=1_199)
    await waits_for_money(hub, task)


async def test_it_starts_when_an_agent_gives_back_what_it_did_not_need(hub: PlayedHub) -> None:
    first, _second = await full(hub)
    task = await submit(hub, 400)
    await spend(first, 200)
    await waits_for_money(hub, task)
    await first.finish()
    await hub.worker(task.id)


async def test_it_starts_at_midnight(hub: PlayedHub, clock: Clock) -> None:
    await spent_task(hub, 700, budgetCents=900)
    task = await submit(hub, 400)
    clock.set("2026-11-18T23:59:59Z")
    await waits_for_money(hub, task)
    clock.set("2026-11-19T00:00:00Z")
    await hub.worker(task.id)


async def test_nothing_overtakes_one_that_waits_for_running_agents(hub: PlayedHub, clock: Clock) -> None:
    first, _second = await full(hub)
    large = await submit(hub, 400)
    clock.wait(minutes=1)
    small = await submit(hub, 100)
    await waits_for_money(hub, large)
    assert await waits(hub, small) == [], "it has room, and waits for its turn"
    await first.finish()
    await hub.worker(large.id)
    await hub.worker(small.id)


async def test_who_only_waits_for_its_turn_is_not_said_to_be_blocked(hub: PlayedHub, clock: Clock) -> None:
    await full(hub)
    large = await submit(hub, 400, hold=True)
    clock.wait(minutes=1)
    small = await submit(hub, 100, hold=True)
    await release(hub, large, small)
    await waits_for_money(hub, large)
    assert [event.payload["taskId"] for event in await events(hub, "task_blocked")] == [large.id]


async def release(hub: PlayedHub, *tasks: Task) -> None:
    """Cancelled and retried, they are held no more."""
    for task in tasks:
        await hub.client.cancel(task.id)
    for task in tasks:
        await hub.client.retry(task.id)


async def test_one_that_no_agents_end_can_make_room_for_is_passed_over(hub: PlayedHub, clock: Clock) -> None:
    await spent_task(hub, 700, budgetCents=900)
    large = await submit(hub, 400)
    clock.wait(minutes=1)
    small = await submit(hub, 100)
    await hub.worker(small.id)
    await waits_for_money(hub, large)


async def test_the_order_is_still_by_priority(hub: PlayedHub, clock: Clock) -> None:
    first, second = await full(hub)
    low = await submit(hub, 400, priority="low")
    clock.wait(minutes=1)
    high = await submit(hub, 400, priority="high")
    await first.finish()
    await hub.worker(high.id)
    await waits_for_money(hub, low)
    await second.finish()
    await hub.worker(low.id)


async def test_what_waits_for_money_can_be_cancelled(hub: PlayedHub) -> None:
    await full(hub)
    task = await submit(hub, 400)
    await waits_for_money(hub, task)
    assert (await hub.client.cancel(task.id)).status == "cancelled"
    assert (await hub.client.budget()).waiting == 0


async def test_a_dependent_asks_for_money_once_what_it_depends_on_is_done(hub: PlayedHub) -> None:
    first, worker = await hub.running()
    await hub.running()
    task = await submit(hub, 900, dependsOn=[first.id])
    assert [reason.reason for reason in await waits(hub, task)] == ["dependency"]
    await worker.finish()
    await waits_for_money(hub, task)
