"""Claude Code when the provider of its model takes no more for a while: nothing fails, and nothing is paid for it."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from claude.bill import answered, bill, books
from claude.conversations import BEGIN, END
from claude.driving import bash
from hubs import HubProcess
from scripted_api import ScriptedApi, Status, Text, Turn
from swarm_api.client import HubClient


def limit(seconds: int) -> Status:
    return Status(429, "rate_limit_error", retry_after=seconds)


def script(*faults: Status) -> list[Turn]:
    """Of two answers, the second of which meets the limit."""
    return [Turn((Text("I begin."), bash("true")), BEGIN), Turn((Text("Done."),), END, faults)]


async def test_agents_wait_for_a_short_limit_and_complete(api: ScriptedApi, client: HubClient, hub: HubProcess) -> None:
    api.scripts["Alpha"], api.scripts["Beta"] = list(script(limit(2))), list(script(limit(2)))
    submitted = await client.submit_batch([{"prompt": "Alpha."}, {"prompt": "Beta."}])
    tasks = [await client.wait(task.id) for task in submitted]
    assert [(task.status, task.attempts) for task in tasks] == [("completed", 1)] * 2
    assert (await books(client, hub.data_dir, tasks))["calls"] == bill(answered(api))


async def test_a_task_that_meets_a_long_limit_waits_with_its_work_and_its_try(
    api: ScriptedApi, client: HubClient, hub: HubProcess
) -> None:
    api.scripts["Alpha"] = list(script(limit(3_600)))
    task = await client.submit({"prompt": "Alpha."})
    async with aclosing(client.events(after=0, types=["task_retried"], task_id=task.id)) as held_back:
        await anext(held_back)
    task = await client.task(task.id)
    assert (task.status, task.result) == ("pending", None)
    (blocked,) = task.blocked_by
    assert blocked.reason == "usage_limit"
    assert blocked.until is not None
    assert timedelta(minutes=50) < blocked.until - datetime.now(UTC) <= timedelta(seconds=3_601)
    assert task.cost_micro_usd == bill(answered(api))
