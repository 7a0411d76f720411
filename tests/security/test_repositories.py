"""A repository that nobody should trust: whatever it is configured to run, neither hub nor worker runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubs import HubProcess
from security.tasks import git, run
from swarm_api.client import HubClient
from swarm_api.errors import InvalidInput, TooLarge


class Trap:
    """A command that leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace
        self.command = f"touch {trace}; false"

    @property
    def sprung(self) -> bool:
        return self._trace.exists()


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "trace")


def make_partial(repo: Path, missing: str, **config: str) -> None:
    """Let the repository lack an object, and say that git can fetch it."""
    settings = {"core.repositoryformatversion": "1", "extensions.partialClone": "origin", **config}
    for name, value in settings.items():
        git(repo, "config", name, value)
    (repo / ".git/objects" / missing[:2] / missing[2:]).unlink()


def by_ssh(program: str) -> dict[str, str]:
    return {"remote.origin.url": "ssh://host/path", "core.sshCommand": program}


def by_upload_pack(program: str) -> dict[str, str]:
    return {"remote.origin.url": "file:///", "remote.origin.uploadpack": program}


@pytest.mark.parametrize("configured", [by_ssh, by_upload_pack])
async def test_looking_at_a_repository_fetches_nothing_that_it_lacks(
    client: HubClient, repo: Path, trap: Trap, configured: Callable[[str], dict[str, str]]
) -> None:
    make_partial(repo, git(repo, "rev-parse", "HEAD"), **configured(trap.command))
    with pytest.raises(InvalidInput):
        await client.submit({"prompt": "[]", "repo": str(repo), "hold": True})
    assert not trap.sprung


async def test_a_worker_fetches_nothing_with_a_program_of_the_repository(
    client: HubClient, repo: Path, trap: Trap
) -> None:
    blob = git(repo, "rev-parse", "HEAD:README.md")
    make_partial(repo, blob, **by_upload_pack(trap.command))
    task = await run(client, {"done": "."}, repo=str(repo))
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.code == "checkout_failed"
    assert not trap.sprung


async def test_a_worker_pushes_with_no_program_of_the_repository(
    client: HubClient, repo: Path, trap: Trap, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(repo, "config", "remote.origin.url", f"file://{tmp_path}/remote.git")
    git(repo, "config", "remote.origin.receivepack", trap.command)
    task = await run(client, {"run": "echo new > new"}, push=True, repo=str(repo))
    assert task.status == "completed"
    assert task.result is not None
    assert git(tmp_path / "remote.git", "branch", "--list", "--format=%(refname:short)") == task.result.branch
    assert not trap.sprung


async def test_a_diff_runs_no_program_of_a_submodule(client: HubClient, repo: Path, trap: Trap) -> None:
    inner = repo / "inner"
    git(repo, "init", "-q", "inner")
    git(inner, "commit", "-q", "--allow-empty", "-m", "Begin")
    git(inner, "config", "diff.external", trap.command)
    git(repo, "config", "diff.submodule", "diff")
    git(repo, "add", "inner")
    git(repo, "commit", "-q", "-m", "A submodule")
    (inner / "file").write_text("text\n")
    git(inner, "add", "file")
    git(inner, "commit", "-q", "-m", "Go on")
    step = f"git update-index --cacheinfo 160000,{git(inner, 'rev-parse', 'HEAD')},inner && git commit -qm bump"
    task = await run(client, {"run": step}, repo=str(repo))
    assert "+Subproject commit" in await client.diff(task.id)
    assert not trap.sprung


async def test_a_diff_shows_what_the_branch_holds_not_what_stands_in_for_it(client: HubClient, repo: Path) -> None:
    steps: list[dict[str, Any]] = [
        {"run": "echo harm > harm && git add harm && git commit -qm harm"},
        {"run": "git replace HEAD HEAD~1"},
    ]
    task = await run(client, *steps, repo=str(repo))
    assert "+harm" in await client.diff(task.id)
    assert task.result is not None
    assert task.result.files_changed == ["harm"]


async def test_a_diff_too_large_for_the_hub_is_refused(client: HubClient, repo: Path) -> None:
    task = await run(client, {"run": "head -c 40000000 /dev/urandom > large"}, repo=str(repo))
    with pytest.raises(TooLarge):
        await client.diff(task.id)


async def test_git_does_not_see_the_hubs_secrets(
    start_hub: Callable[..., HubProcess], repo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    spy = folder / "git"
    spy.write_text(f"#!/bin/sh\nenv >> {tmp_path / 'seen'}\nexit 1\n")
    spy.chmod(0o755)
    hub = start_hub(PATH=str(folder), ANTHROPIC_API_KEY="sk-ant-canary")
    async with hub.client() as client:
        with pytest.raises(InvalidInput):
            await client.submit({"prompt": "[]", "repo": str(repo), "hold": True})
    assert "sk-ant-canary" not in (tmp_path / "seen").read_text()
