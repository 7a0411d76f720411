"""`swarm pull`: a task's branch, from the hub into the repository that one is in."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from swarm_api.config import hub_url
from swarm_api.git_root import git_root
from swarm_api.ids import short
from swarm_api.tasks import Task
from swarm_cli.faults import Fault, wrong_usage
from swarm_cli.following import client
from swarm_cli.hub_remote import HubRemote, git
from swarm_cli.options import TaskId, Url
from swarm_cli.screen import Screen, safe, write
from swarm_cli.task_id import check


def pull(
    task_id: TaskId,
    force: Annotated[bool, typer.Option("--force", help="Also where the branch here has gone another way.")] = False,
    url: Url = None,
) -> None:
    """Bring a task's branch into this repository, wherever its agent worked."""
    check([task_id])
    folder = git_root(Path.cwd())
    if folder is None:
        raise wrong_usage("this is no git repository, and a branch needs one", hint="git init")
    task = asyncio.run(_task(task_id, url))
    remote = HubRemote(hub_url(url, os.environ), os.environ)
    remote.fetch(folder, task.id, f"{'+' if force else ''}refs/heads/*:refs/heads/*")
    _tell(folder, task)


async def _task(task_id: str, url: str | None) -> Task:
    async with client(url) as hub:
        return await hub.task(task_id)


def _tell(folder: Path, task: Task) -> None:
    screen, result = Screen.of(sys.stdout, os.environ), task.result
    if result is None or result.branch is None:
        if not git(folder, "for-each-ref", f"refs/heads/swarm/{short(task.id)}-*"):
            raise Fault(f"{short(task.id)} has no branch yet")
        write(f"what {short(task.id)} has pushed so far is here")
        return
    count = git(folder, "rev-list", "--count", f"{result.base_commit}..{result.commit}")
    branch = screen.paint("bold", safe(result.branch))
    write(f"{branch}  {count} {'commit' if count == '1' else 'commits'} from {(result.base_commit or '')[:12]}")
    write(screen.paint("dim", f"git switch {safe(result.branch)}"))
