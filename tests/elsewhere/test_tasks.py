"""Tasks whose agents are on machines of their own: the code comes from the hub and the branch goes back to it."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

from elsewhere.machines import RemoteHub
from hubs import HubProcess
from swarm_api.client import HubClient
from swarm_api.tasks import Task
from waiting import until

LIMIT = 60.0


def script(*steps: dict[str, Any]) -> str:
    return json.dumps(steps)


WRITES = script({"write": ["notes.txt", "from elsewhere\n"]}, {"commit": "Write notes"})


def git(repo: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", repo, *arguments], check=True, capture_output=True, text=True).stdout.strip()


async def ended(client: HubClient, task: Task) -> Task:
    async with asyncio.timeout(LIMIT):
        async for event in client.events(after=0, task_id=task.id):
            if event.type in ("task_completed", "task_failed", "task_cancelled"):
                break
    return await client.task(task.id)


async def running(_hub: HubProcess, client: HubClient, task: Task) -> None:
    async with asyncio.timeout(LIMIT):
        async for _ in client.events(after=0, task_id=task.id, types=["task_started"]):
            return


async def test_a_task_of_a_repository_on_the_hubs_machine_leaves_its_branch_there(
    fly: RemoteHub, client: HubClient, repo: Path
) -> None:
    task = await ended(client, await client.submit({"prompt": WRITES, "repo": str(repo)}))
    assert task.status == "completed", task.result
    assert task.result is not None
    assert git(repo, "show", f"{task.result.branch}:notes.txt") == "from elsewhere"
    assert git(repo, "merge-base", "main", task.result.branch or "") == git(repo, "rev-parse", "main")


async def test_a_task_without_a_repository_has_a_diff(fly: RemoteHub, client: HubClient) -> None:
    task = await ended(client, await client.submit({"prompt": WRITES}))
    assert task.status == "completed", task.result
    assert "+from elsewhere" in await client.diff(task.id)


async def test_a_task_of_a_url_is_pushed_on_by_the_hub_where_that_is_asked_for(
    fly: RemoteHub, client: HubClient, repo: Path
) -> None:
    url = f"file://{repo}"
    quiet, pushed = [await client.submit({"prompt": WRITES, "repo": url, "push": push}) for push in (False, True)]
    quiet, pushed = await ended(client, quiet), await ended(client, pushed)
    assert (quiet.status, pushed.status) == ("completed", "completed"), (quiet.result, pushed.result)
    branches = git(repo, "branch", "--list", "swarm/*", "--format=%(refname:short)").split()
    assert branches == [pushed.result and pushed.result.branch]


async def test_a_retry_on_another_machine_goes_on_with_the_branch(
    fly: RemoteHub, client: HubClient, repo: Path
) -> None:
    steps = script(
        {"write": ["first.txt", "one\n"], "attempt": 1}, {"fail": "not today", "attempt": 1},
        {"run": "test -f first.txt", "attempt": 2}, {"write": ["second.txt", "two\n"], "attempt": 2},
    )  # fmt: skip
    task = await ended(client, await client.submit({"prompt": steps, "repo": str(repo)}))
    assert task.status == "failed"
    base = task.result and task.result.base_commit
    git(repo, "commit", "--allow-empty", "-m", "Somebody goes on")
    task = await ended_again(client, await client.retry(task.id))
    assert task.status == "completed", task.result
    assert task.result is not None
    assert task.result.base_commit == base
    assert set(task.result.files_changed) == {"first.txt", "second.txt"}
    assert len(fly.fly.ever) == 2


async def ended_again(client: HubClient, task: Task) -> Task:
    async with asyncio.timeout(LIMIT):
        async for event in client.events(after=task.seq, task_id=task.id):
            if event.type in ("task_completed", "task_failed"):
                break
    return await client.task(task.id)


async def test_an_agent_works_on_while_its_hub_is_killed_and_started_anew(
    fly: RemoteHub, client: HubClient, repo: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    steps = script({"wait_file": str(go)}, {"write": ["late.txt", "late\n"]})
    task = await client.submit({"prompt": steps, "repo": str(repo)})
    await running(fly, client, task)
    await asyncio.to_thread(fly.kill)
    go.touch()
    await fly.begin()
    task = await ended(client, task)
    assert task.status == "completed", task.result
    assert len(fly.fly.ever) == 1


async def test_a_machine_that_is_lost_is_replaced_where_another_attempt_is_allowed(
    fly: RemoteHub, client: HubClient, repo: Path
) -> None:
    steps = script({"wait_file": "/never", "attempt": 1}, {"write": ["done.txt", "x\n"], "attempt": 2})
    task = await client.submit({"prompt": steps, "repo": str(repo), "maxAttempts": 2})
    await running(fly, client, task)
    fly.fly.lose(fly.fly.ever[0].id)
    task = await ended(client, task)
    assert (task.status, task.attempts) == ("completed", 2), task.result


async def test_a_repository_that_is_not_there_fails_the_task_by_its_name(fly: RemoteHub, client: HubClient) -> None:
    task = await client.submit({"prompt": WRITES, "repo": "https://127.0.0.1:9/none.git", "maxAttempts": 3})
    task = await ended(client, task)
    assert task.status == "failed"
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.code in ("clone_failed", "repo_not_found")
    await until(lambda: not any(machine.running for machine in fly.fly.ever))


async def test_where_an_agent_runs_is_seen_by_its_region(fly: RemoteHub, client: HubClient) -> None:
    task = await ended(client, await client.submit({"prompt": WRITES}))
    agent = await client.agent(task.assigned_agent or "")
    assert (agent.provider, agent.region) == ("fly", "ord")


async def test_the_hubs_token_for_the_cloud_is_nowhere_in_what_a_machine_is_given(
    fly: RemoteHub, client: HubClient
) -> None:
    await ended(client, await client.submit({"prompt": WRITES}))
    assert "fm2_OfTheTestsOfTheTestsOfTheTests" not in str(fly.fly.ever[0].asked)
