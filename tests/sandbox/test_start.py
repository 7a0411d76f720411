"""A hub that is to put its agents into sandboxes and cannot, does not start, and says why."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.starting import CONFIG, assert_refused
from hubs import HubProcess
from security.tasks import run
from swarm_api.client import HubClient

ASKED = "LOCAL_SANDBOX is 'bubblewrap'"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with git alone."""
    folder = tmp_path / "bin"
    folder.mkdir()
    git = shutil.which("git")
    assert git is not None
    (folder / "git").symlink_to(git)
    return folder


def pretend(folder: Path, script: str) -> None:
    """A bwrap that is none."""
    (folder / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bwrap").chmod(0o755)


def assert_no_start(folder: Path, programs: Path, *named: str) -> None:
    hub = HubProcess(folder, LOCAL_SANDBOX="bubblewrap", PATH=str(programs))
    assert_refused(hub.environment, CONFIG, ASKED, "allowed here: none", *named)


def test_without_bubblewrap(tmp_path: Path, programs: Path) -> None:
    assert_no_start(tmp_path, programs, "bwrap is not on the PATH", "apt install bubblewrap")


@pytest.mark.parametrize("version", ["bubblewrap 0.4.1", "bubblewrap 0.7.9", "nonsense"])
def test_with_one_that_is_too_old(tmp_path: Path, programs: Path, version: str) -> None:
    pretend(programs, f"echo {version}")
    assert_no_start(tmp_path, programs, version, "0.8.0 or newer is needed")


def test_where_the_kernel_forbids_it(tmp_path: Path, programs: Path) -> None:
    """As Ubuntu does to programs that its AppArmor does not know."""
    said = "bwrap: setting up uid map: Permission denied"
    pretend(programs, f'[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit; echo {said} >&2; exit 1')
    assert_no_start(tmp_path, programs, f"a try of bubblewrap failed: {said}")


@pytest.mark.usefixtures("_bubblewrap")
async def test_where_it_is_gone_later_no_agent_runs_without_it(
    start_hub: Callable[..., HubProcess], repo: Path, programs: Path
) -> None:
    pretend(programs, f'exec {shutil.which("bwrap")} "$@"')
    hub = start_hub(LOCAL_SANDBOX="bubblewrap", PATH=f"{programs}:{os.environ['PATH']}")
    pretend(programs, "exit 1")
    async with hub.client() as client:
        task = await run(client, {"run": "touch ran"}, repo=str(repo))
    assert task.result is not None
    assert task.result.error is not None
    assert (task.status, task.result.error.code) == ("failed", "sandbox_unavailable")
    assert "0.8.0 or newer is needed" in task.result.error.message
    assert not list(hub.data_dir.glob("worktrees/*/ran"))


async def test_without_a_sandbox_work_goes_on_that_was_begun_in_one(
    client: HubClient, hub: HubProcess, repo: Path
) -> None:
    left = {"run": "echo new > new && git add new && git commit -qm Mine && echo half > half", "attempt": 1}
    task = await run(
        client, left, {"kill_worker": True, "attempt": 1}, {"run": "git log --format=%s; ls"}, repo=str(repo)
    )
    hub.stop()
    hub.settings["LOCAL_SANDBOX"] = "none"
    hub.start()
    async with hub.client() as again:
        await again.retry(task.id)
        task = await again.wait(task.id)
        told = [line.text for line in (await again.logs(task.id)).lines if line.stream == "stdout"]
    assert told == ["wip: what an earlier attempt left", "Mine", "Begin", "README.md", "half", "new", "src"]
