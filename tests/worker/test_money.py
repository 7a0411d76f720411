"""What a worker does when its hub says that there is no money for its agent, or that the model is closed to it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.played import PlayedHub, Worker, played_hub
from swarm_api.tasks import Result
from swarm_hub.transitions import control, load_agent
from worker.ground import git
from worker.scripts import task
from worker.waiting import is_whole_line, until
from worker.workers import carried

HERE = {"write": ["here", "now\n"]}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


async def stopped(hub: PlayedHub, repo: Path, reason: str, *steps: dict[str, Any]) -> Result:
    """The result of a script whose worker is told to stop once it has written `here`."""
    submitted = await hub.client.submit(task(repo, HERE, *steps))
    agent = await hub.worker(submitted.id)
    with carried(hub, agent.agent_id) as worker:
        await until(lambda: any(is_whole_line(path) for path in hub.parts.settings.data_dir.rglob("here")))
        await tell_to_stop(hub, agent, reason)
        async with asyncio.timeout(40):
            ended = await hub.client.wait(submitted.id)
            assert await asyncio.to_thread(worker.wait) == 0
    assert ended.result is not None
    return ended.result


async def tell_to_stop(hub: PlayedHub, agent: Worker, reason: str) -> None:
    body = {"kind": "cancel", "reason": reason}
    await hub.parts.store.write(lambda tx: control(tx, load_agent(tx, agent.agent_id).agent, body))


async def test_an_agent_whose_money_is_spent_leaves_its_work_on_the_branch(hub: PlayedHub, repo: Path) -> None:
    result = await stopped(hub, repo, "budget", {"run": "sleep 600"})
    assert result.error is not None
    assert (result.status, result.error.code) == ("budget", "budget_exceeded")
    assert git(repo, "show", f"{result.branch}:here") == "now"


async def test_an_agent_that_hears_nothing_is_stopped_all_the_same(hub: PlayedHub, repo: Path) -> None:
    result = await stopped(hub, repo, "budget", {"hang": True})
    assert result.status == "budget"
    assert git(repo, "show", f"{result.branch}:here") == "now"


async def test_at_a_usage_limit_the_work_is_kept_for_later(hub: PlayedHub, repo: Path) -> None:
    result = await stopped(hub, repo, "usage_limit", {"run": "sleep 600"})
    assert result.error is not None
    assert result.error.code == "usage_limit"
    assert git(repo, "show", f"{result.branch}:here") == "now"
