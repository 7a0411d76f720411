"""Claude Code whose budget ends in the middle of its work: the work and the session stay, and with more it goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from claude.driving import DEADLINE, KEY, STARTED, bash
from claude.test_end_to_end import git, until_it_runs
from cli.program import Swarm
from hubs import HubProcess
from scripted_api import ScriptedApi, Text, Turn, Usage
from swarm_api.budget import BudgetIn
from swarm_api.client import HubClient
from swarm_api.tasks import Task

DEAR = Usage(input=100, output=199_000)  # $1.99 of Sonnet, and what is left of $2.00 bears no second call
COST = 100 * 2 + 199_000 * 10  # micro-dollars
CHEAP = Usage(input=100, output=20)


async def broke(api: ScriptedApi, client: HubClient, repo: Path) -> Task:
    """A task whose second call finds no room."""
    half = bash("echo half > half.txt; git add half.txt; echo more >> half.txt")
    api.scripts["Take your time"] = [Turn((Text("I begin."), half), DEAR), Turn((Text("Never."),))]
    task = await client.submit({"prompt": "Take your time.", "repo": str(repo), "budgetCents": 200})
    return await client.wait(task.id)


async def test_it_ends_with_budget_and_its_work_on_the_branch(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    task = await broke(api, client, repo)
    assert task.result is not None
    assert task.result.error is not None
    assert (task.status, task.result.status, task.result.error.code) == ("failed", "budget", "budget_exceeded")
    assert git(repo, "show", f"{task.result.branch}:half.txt") == "half\nmore"


async def test_the_call_without_room_never_reaches_the_model(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    task = await broke(api, client, repo)
    assert [seen.outcome for seen in api.seen] == ["answered"]
    assert task.cost_micro_usd == COST


async def test_the_log_says_why_in_the_hubs_words(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    task = await broke(api, client, repo)
    lines = (await client.logs(task.id, limit=1000)).lines
    assert [line.text for line in lines if line.stream == "agent"] == ["I begin."]
    assert not any("authenticate" in line.text for line in lines)


async def test_with_more_money_it_goes_on_with_its_session_and_its_work(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path, tmp_path: Path
) -> None:
    first = await broke(api, client, repo)
    api.scripts["Take your time"] = [Turn((bash("wc -l half.txt"),), CHEAP), Turn((Text("Done."),), CHEAP)]
    swarm = Swarm(tmp_path, SWARM_URL=hub.url)
    assert (await asyncio.to_thread(swarm, "retry", first.id)).returncode == 6
    assert (await asyncio.to_thread(swarm, "retry", first.id, "--budget", "8")).returncode == 0
    log = await asyncio.to_thread(swarm, "logs", "-f", first.id)
    task = await client.task(first.id)
    assert (log.returncode, task.status, task.attempts) == (0, "completed", 2)
    assert "2 half.txt" in log.stdout.splitlines()
    assert task.result is not None
    assert first.result is not None
    assert task.result.branch == first.result.branch
    assert len({seen.request.session for seen in api.seen}) == 1
    assert "I begin." in api.seen[-1].request.text


async def test_it_costs_what_both_attempts_cost(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    first = await broke(api, client, repo)
    api.scripts["Take your time"] = [Turn((Text("Done."),), CHEAP)]
    await client.retry(first.id, budget_cents=800)
    task = await client.wait(first.id)
    assert (task.status, task.budget_cents) == ("completed", 800)
    assert task.cost_micro_usd == first.cost_micro_usd + 100 * 2 + 20 * 10


async def test_at_a_limit_of_all_it_waits_and_goes_on_with_its_session(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    """It has failed at nothing: the money of others is spent."""
    waits = bash(f"echo half > half.txt; touch {STARTED}; until [ -e go ]; do sleep 0.05; done")
    api.scripts["Take your time"] = [Turn((Text("I begin."), waits), CHEAP), Turn((Text("Never."),))]
    task = await client.submit({"prompt": "Take your time.", "repo": str(repo)})
    await until_it_runs(hub)
    await client.set_budget(BudgetIn(daily_cents=1))
    (worktree,) = [path.parent for path in hub.data_dir.glob(f"worktrees/*/{STARTED}")]
    (worktree / "go").touch()
    await until_no_agent_works(client)
    task = await client.task(task.id)
    assert (task.status, [blocked.reason for blocked in task.blocked_by]) == ("pending", ["budget"])
    api.scripts["Take your time"] = [Turn((bash("cat half.txt"),), CHEAP), Turn((Text("Done."),), CHEAP)]
    await client.set_budget(BudgetIn(daily_cents=10_000))
    task = await client.wait(task.id)
    assert task.result is not None
    assert (task.status, task.result.summary) == ("completed", "Done.")
    assert len({seen.request.session for seen in api.seen}) == 1
    assert "I begin." in api.seen[-1].request.text


async def until_no_agent_works(client: HubClient) -> None:
    async with asyncio.timeout(DEADLINE):
        while (await client.agents(active=True)).agents:  # noqa: ASYNC110  # asking is all an app can do
            await asyncio.sleep(0.05)


@pytest.fixture
def unwatched(start_hub: Callable[..., HubProcess], api: ScriptedApi, proxy: str) -> HubProcess:
    """A hub whose agents hold the key themselves, and tell what they spend."""
    keys = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_KEY_MODE": "inject"}
    trap = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": "127.0.0.1"}
    return start_hub(SWARM_RUNTIME="claude", **keys, **trap)


async def test_without_a_gateway_it_stops_itself(api: ScriptedApi, unwatched: HubProcess, repo: Path) -> None:
    """It looks after each answer, so that it spends a little more than its budget."""
    api.scripts["Spend"] = [Turn((bash("echo half >> half.txt"),), DEAR)] * 5
    async with unwatched.client() as client:
        task = await client.submit({"prompt": "Spend.", "repo": str(repo), "budgetCents": 200})
        task = await client.wait(task.id)
    assert task.result is not None
    assert (task.status, task.result.status) == ("failed", "budget")
    assert task.cost_micro_usd == 2 * COST
    assert git(repo, "show", f"{task.result.branch}:half.txt").startswith("half")
    assert {used.cost_basis for used in task.usage.by_model.values()} == {"reported"}


async def test_without_a_gateway_a_retry_spends_what_is_left_of_the_whole(
    api: ScriptedApi, unwatched: HubProcess, repo: Path
) -> None:
    api.scripts["Spend"] = [Turn((bash("true"),), DEAR)] * 9
    async with unwatched.client() as client:
        task = await client.submit({"prompt": "Spend.", "repo": str(repo), "budgetCents": 200})
        assert (await client.wait(task.id)).cost_micro_usd == 2 * COST
        await client.retry(task.id, budget_cents=450)
        task = await client.wait(task.id)
    assert (task.status, task.attempts, task.cost_micro_usd) == ("failed", 2, 3 * COST)
