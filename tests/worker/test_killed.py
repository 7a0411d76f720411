"""`kill -9` of workers, at any instant."""

import asyncio
import json
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from hubs import HubProcess
from swarm_api.client import HubClient
from worker.ground import git
from worker.scripts import task
from worker.waiting import until

SEED = int(os.environ.get("SURVIVAL_SEED", "20261123"))
KILLS = 9
LONGEST_LIFE = 0.5  # seconds; a worker that is left alone needs about as much


def lock_of(hub: HubProcess, known: set[Path]) -> Path | None:
    """The lock of an agent that is not yet known, once its worker is named in it."""
    new = (path for path in (hub.data_dir / "agents").glob("*/lock") if path not in known)
    return next((path for path in new if path.read_text().endswith("}")), None)


async def kill_again_and_again(hub: HubProcess, chance: random.Random) -> None:
    known: set[Path] = set()
    for _ in range(KILLS):
        await until(lambda: lock_of(hub, known))
        lock = lock_of(hub, known)
        assert lock is not None
        known.add(lock)
        await asyncio.sleep(chance.uniform(0.0, LONGEST_LIFE))
        with suppress(ProcessLookupError):  # it was faster
            os.kill(json.loads(lock.read_text())["pid"], signal.SIGKILL)


@pytest.mark.parametrize("where", ["repository", "scratch"])
async def test_a_task_whose_workers_are_killed_ends_and_its_branch_is_whole(
    hub: HubProcess, client: HubClient, repo: Path, where: str
) -> None:
    """No attempt takes a half-made or half-removed worktree for the work of the one before."""
    steps = [{"run": f"echo {n} >> work.txt; git add work.txt; git commit -q -m 'step {n}'"} for n in range(4)]
    local = where == "repository"
    submitted = await client.submit(task(repo if local else None, *steps, maxAttempts=KILLS + 1))
    async with asyncio.timeout(120):
        chance = random.Random(f"{SEED} {where}")  # noqa: S311  # a test that fails must fail again
        killing = asyncio.create_task(kill_again_and_again(hub, chance))
        ended = await client.wait(submitted.id)
        killing.cancel()
        await asyncio.wait({killing})
    assert ended.status == "completed", ended.result
    assert ended.result is not None
    holder = repo if local else next(path for path in (hub.data_dir / "scratch").iterdir() if path.is_dir())
    branch = ended.result.branch or ""
    assert (
        git(holder, "log", "--format=", "--diff-filter=D", "--name-only", f"{ended.result.base_commit}..{branch}") == ""
    )
    assert git(holder, "show", f"{branch}:work.txt").splitlines()[-4:] == ["0", "1", "2", "3"]
    assert git(holder, "fsck", "--no-dangling", "--no-progress") == ""
    assert git(repo, "status", "--porcelain") == ""
