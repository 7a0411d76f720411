"""An agent that tries to reach what is none of its business, and what it says it reached."""

import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from security.tasks import git, run
from swarm_api.client import HubClient
from swarm_api.tasks import Task

Attempt = tuple[str, Any]
ATTACK = Path(__file__).with_name("attack.py")


def armed(repo: Path) -> None:
    """Put the attack into the repository, as one of its files."""
    shutil.copy(ATTACK, repo)
    git(repo, "add", "attack.py")
    git(repo, "commit", "-q", "-m", "Arm")


def step(attempts: Sequence[Attempt]) -> dict[str, Any]:
    return {"run": f"python3 attack.py {shlex.quote(json.dumps(attempts))}"}


async def lines(client: HubClient, task: Task, stream: str = "stdout") -> list[str]:
    page = await client.logs(task.id, limit=1000)
    return [line.text for line in page.lines if line.stream == stream]


async def reached(client: HubClient, repo: Path, attempts: Sequence[Attempt]) -> list[Attempt]:
    """What of it an agent reaches that works in the repository. All of it was tried."""
    task = await run(client, step(attempts), repo=str(repo))
    *found, last = await lines(client, task)
    assert last == f"tried {len(attempts)}", await lines(client, task, "stderr")
    return [(name, json.loads(target)) for _, name, target in (line.split(" ", 2) for line in found)]
