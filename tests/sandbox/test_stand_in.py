"""The repository that stands in for the real one, without a hub."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm_api.worker import Sandbox
from swarm_worker import git as worker_git
from swarm_worker import sandbox_config, sandbox_repository
from swarm_worker.checkout import Checkout
from swarm_worker.git import GitFailed
from swarm_worker.keeping import save
from swarm_worker.sandbox_repository import StandIn
from worker.ground import BRANCH, Ground, again, git, local, write

pytestmark = pytest.mark.usefixtures("_bubblewrap")


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    ground = Ground(tmp_path / "workspace")
    yield ground
    ground.leave()


@pytest.fixture
async def checkout(ground: Ground, repo: Path) -> Checkout:
    return await ground.open(local(repo, sandbox=Sandbox()))


def stand_in(checkout: Checkout) -> StandIn:
    assert checkout.stand_in is not None
    return checkout.stand_in


@pytest.mark.parametrize("name", ["HEAD", "index", "config"])
async def test_a_git_that_an_agent_lets_wait_for_ever_is_ended(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for module in (worker_git, sandbox_repository):
        monkeypatch.setattr(module, "PATIENCE", 1.0)
    folder = stand_in(checkout).folder if name == "config" else stand_in(checkout).git_dir
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(GitFailed, match="did not end in the sandbox within 1 seconds"):
        await save(checkout, "work")


async def test_the_real_worktree_is_on_its_branch_with_nothing_staged(checkout: Checkout) -> None:
    write(checkout.path, "new")
    await save(checkout, "work")
    assert git(checkout.path, "symbolic-ref", "HEAD") == f"refs/heads/{BRANCH}"
    assert git(checkout.path, "status", "--porcelain") == ""


async def test_what_came_home_twice_is_there_once(checkout: Checkout, repo: Path) -> None:
    write(checkout.path, "new")
    await save(checkout, "work")
    before = git(repo, "for-each-ref")
    await stand_in(checkout).bring_branch()
    assert await stand_in(checkout).bring_home() == []
    assert git(repo, "for-each-ref") == before


async def test_a_worktree_whose_repository_was_replaced_is_not_entered(
    checkout: Checkout, ground: Ground, repo: Path
) -> None:
    """By an agent without a sandbox, say."""
    await save(checkout, "work")
    stand_in(checkout).discard()
    ground.leave()
    (checkout.path / ".git").unlink()
    (checkout.path / ".git").symlink_to(repo / ".git")
    with pytest.raises(Exception, match=r"its \.git was replaced"):
        await ground.open(again(local(repo, sandbox=Sandbox())))


async def test_a_worktree_that_is_gone_is_made_anew_with_what_was_committed(
    checkout: Checkout, ground: Ground, repo: Path
) -> None:
    """Its worker was killed, and then somebody tidied up."""
    write(checkout.path, "new")
    inside = checkout.git
    await inside.run("add", "new")
    await inside.run("commit", "-q", "-m", "Mine")
    ground.leave()
    git(repo, "worktree", "remove", "--force", "--force", str(checkout.path))
    second = await ground.open(again(local(repo, sandbox=Sandbox())))
    assert (second.path / "new").exists()
    assert git(repo, "log", "-1", "--format=%s", BRANCH) == "Mine"


async def test_of_the_users_configuration_filters_count_for_our_git(ground: Ground, repo: Path, tmp_path: Path) -> None:
    (tmp_path / "nobody").mkdir()
    write(tmp_path / "nobody", ".gitconfig", '[filter "up"]\n\tclean = tr a-z A-Z\n[http]\n\textraheader = canary\n')
    write(repo, ".gitattributes", "*.up filter=up\n")
    git(repo, "add", ".gitattributes")
    git(repo, "commit", "-q", "-m", "Attributes")
    checkout = await ground.open(local(repo, sandbox=Sandbox()))
    write(checkout.path, "it.up", "text\n")
    await save(checkout, "work")
    assert git(repo, "show", f"{BRANCH}:it.up") == "TEXT"
    assert "canary" not in (stand_in(checkout).box / "user.gitconfig").read_text()


async def test_what_an_agent_configures_to_run_does_not_see_the_users_passwords(
    ground: Ground, repo: Path, tmp_path: Path
) -> None:
    (tmp_path / "nobody").mkdir()
    helper = '[credential]\n\thelper = "!echo password=canary"\n[core]\n\tsshCommand = sshpass -p canary ssh\n'
    write(tmp_path / "nobody", ".gitconfig", helper)
    git(repo, "config", "credential.helper", "store")
    checkout = await ground.open(local(repo, sandbox=Sandbox()))
    await checkout.git.run("config", "filter.spy.clean", "env > told; cat")
    write(checkout.path, ".gitattributes", "*.spied filter=spy\n")
    write(checkout.path, "it.spied")
    await checkout.git.run("add", "--all")
    assert "canary" not in (checkout.path / "told").read_text()


async def test_the_machines_configuration_counts_without_its_passwords(checkout: Checkout) -> None:
    listing = "system\0http.proxy\nhttp://ada:canary@proxy.test\0system\0safe.directory\n*\0system\0core.pager\ncat\0"
    assert sandbox_config.of_machine(sandbox_config.read(listing)) == '[safe]\n\tdirectory = "*"\n'
