"""Claude Code, four times, where the day has room for one at a time and for two in all."""

import asyncio
from collections.abc import Callable

import pytest

from claude.bill import all_say, answered, bill, books
from claude.driving import KEY, bash
from hubs import HubProcess
from scripted_api import ScriptedApi, Text, Turn, Usage
from swarm_api.base import CENT
from swarm_api.budget import BudgetIn
from swarm_api.client import HubClient
from swarm_api.tasks import Task

DAY = 420
BUDGET = 400  # cents of each task: Claude asks for answers of up to 128,000 tokens, for which much is held
USED = Usage(20_000, 2_000)  # 6 cents of Sonnet
NEED = 2  # answers of each task, 12 cents: after two tasks 396 are left of the day


@pytest.fixture
def hub(start_hub: Callable[..., HubProcess], api: ScriptedApi) -> HubProcess:
    api.scripts["Go"] = [Turn((bash("true"),), USED), Turn((Text("Gone."),), USED)]
    model = {"SWARM_RUNTIME": "claude", "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": api.url}
    return start_hub(DAILY_BUDGET_CENTS=str(DAY), DEFAULT_TASK_BUDGET_CENTS=str(BUDGET), **model)


async def two_done(client: HubClient) -> list[Task]:
    """Four tasks of which two have ended, which is all that there is money for."""
    tasks = await client.submit_batch([{"prompt": f"Go, part {number}."} for number in range(4)])
    done = await asyncio.gather(*(client.wait(task.id) for task in tasks[:2]))
    assert [task.status for task in done] == ["completed"] * 2
    return tasks


async def test_whoever_has_no_room_waits_and_the_day_is_under_its_limit(
    api: ScriptedApi, client: HubClient, hub: HubProcess
) -> None:
    tasks = await two_done(client)
    waiting = [await client.task(task.id) for task in tasks[2:]]
    assert [[reason.reason for reason in task.blocked_by] for task in waiting] == [["budget"]] * 2
    assert await books(client, hub.data_dir, tasks) == all_say(2 * NEED * bill([("claude-sonnet-5-5", USED)]))
    assert (await client.budget()).daily.spent_micro_usd < DAY * CENT


async def test_a_higher_limit_lets_the_rest_run_to_its_end(
    api: ScriptedApi, client: HubClient, hub: HubProcess
) -> None:
    tasks = await two_done(client)
    await client.set_budget(BudgetIn(daily_cents=2 * DAY + 100))
    done = await asyncio.gather(*(client.wait(task.id) for task in tasks))
    assert [task.status for task in done] == ["completed"] * 4
    assert await books(client, hub.data_dir, tasks) == all_say(bill(answered(api)))
