"""In a sandbox an agent works as it does without one, and its work arrives."""

from pathlib import Path

import pytest

from hubs import HubProcess
from security.tasks import git, log, run
from swarm_api.client import HubClient


async def test_its_branch_arrives(client: HubClient, repo: Path) -> None:
    task = await run(client, {"run": "echo new > new && git add -A && git commit -qm 'Mine'"}, repo=str(repo))
    assert task.result is not None, await log(client, task)
    print(await log(client, task))
    assert (task.status, task.result.files_changed) == ("completed", ["new"])
    assert git(repo, "show", f"{task.result.branch}:new") == "new"
    assert git(repo, "log", "-1", "--format=%s %an", task.result.branch or "") == "Mine Ada"
