"""A limit that is lowered holds at once, also for what is set aside already."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from budgets.calling import CENTS_10, calling, says
from budgets.spending import limit, reserved, waits_for_money
from gateway.conftest import Playing
from hub.played import PlayedHub
from scripted_api import Hang, ScriptedApi
from swarm_api.budget import LabelLimit

ANSWER = 10_000  # tokens: less than the shortest answer that is asked for instead
RED = {"labels": {"team": "red"}, "budgetCents": 300}


async def status(agent: Playing) -> int:
    return (await agent.ask("Go", max_tokens=ANSWER)).status_code


@asynccontextmanager
async def open_call(agent: Playing, api: ScriptedApi) -> AsyncIterator[int]:
    """While a call of an agent's is not answered; the cents that it holds."""
    asking = asyncio.create_task(agent.ask("Wait", max_tokens=ANSWER))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    (call,) = [call for call in await agent.calls() if call.ended_ms is None]
    try:
        yield -(-call.hold_micro_usd // 10_000)
    finally:
        api.release()
        await asking


def scripts(api: ScriptedApi) -> None:
    api.scripts["Go"] = says(CENTS_10)
    api.scripts["Wait"] = says(CENTS_10, Hang(after=2))


async def test_the_next_call_of_a_running_agent_is_refused(metered: PlayedHub, api: ScriptedApi) -> None:
    scripts(api)
    agent = await calling(metered)
    assert await status(agent) == 200
    await limit(metered, daily_cents=10)
    assert await status(agent) == 403
    assert (await agent.worker.report())["control"][0]["reason"] == "limit"


async def test_its_task_waits_and_goes_on_when_the_limit_is_raised_again(metered: PlayedHub, api: ScriptedApi) -> None:
    """Its own budget is not spent: it has failed at nothing, and the try does not count."""
    scripts(api)
    agent = await calling(metered)
    assert await status(agent) == 200
    await limit(metered, daily_cents=10)
    assert await status(agent) == 403
    await agent.worker.finish(status="cancelled", error_code="limit_reached")
    await metered.parts.scheduler.tick()
    task = await metered.client.task(agent.task.id)
    assert (task.status, [why.reason for why in task.blocked_by]) == ("pending", ["budget"])
    await limit(metered, daily_cents=10_000)
    again = await metered.worker(agent.task.id, attempt=2)
    assert again.agent_id != agent.worker.agent_id


async def test_calls_go_on_that_the_lower_limit_bears(metered: PlayedHub, api: ScriptedApi) -> None:
    scripts(api)
    agent = await calling(metered)
    await limit(metered, daily_cents=35)
    assert await status(agent) == 200
    assert await status(agent) == 200
    assert await status(agent) == 403
    assert (await metered.client.budget()).daily.spent_micro_usd == 2 * 100_005


async def test_calls_of_others_that_are_open_count(metered: PlayedHub, api: ScriptedApi) -> None:
    scripts(api)
    first, second = await calling(metered), await calling(metered)
    async with open_call(first, api) as held:
        await limit(metered, daily_cents=held + 5)
        assert await status(second) == 403
    assert (await metered.client.budget()).daily.spent_cents <= held + 5


async def test_so_do_those_of_others_with_its_label(metered: PlayedHub, api: ScriptedApi) -> None:
    scripts(api)
    first, second, third = await calling(metered, **RED), await calling(metered, **RED), await calling(metered)
    async with open_call(first, api) as held:
        await limit(metered, LabelLimit(label="team=red", limit_cents=held + 5))
        assert await status(second) == 403
    assert await status(third) == 200, "it has another label"


async def test_nothing_is_left_and_nothing_less(metered: PlayedHub) -> None:
    await calling(metered)
    shown = await limit(metered, daily_cents=100)
    assert (shown.daily.reserved_cents, shown.daily.remaining_cents) == (400, 0)


async def test_what_waits_goes_on_waiting_until_what_is_set_aside_fits_again(
    metered: PlayedHub, api: ScriptedApi
) -> None:
    agent = await calling(metered)
    await limit(metered, daily_cents=500)
    task = await metered.client.submit({"prompt": "Go"})
    assert (await waits_for_money(metered, task)).detail.startswith("the day's budget has $1.00 of $5.00 left")
    await limit(metered, daily_cents=300)
    assert (await waits_for_money(metered, task)).detail.endswith("the day's budget is $3.00 in all")
    await agent.worker.finish()
    await waits_for_money(metered, task)
    await limit(metered, daily_cents=400)
    worker = await metered.worker(task.id)
    assert await reserved(metered, worker) == 400
