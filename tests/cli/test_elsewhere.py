"""A hub that is elsewhere: a repository of this machine is brought to it, and the result is fetched from it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.fly_apps import FlyApps
from cli.program import Swarm
from cli.work import script
from executors.fake_fly import TOKEN

WRITES = script({"write": ["new.txt", "new\n"]})


def git(repo: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", repo, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def submitted(swarm: Swarm, repo: Path, *options: str) -> dict[str, object]:
    run = swarm("submit", "-p", WRITES, "--repo", str(repo), "--bring", "--wait", "--json", *options)
    assert run.returncode == 0, run.stderr
    task: dict[str, object] = json.loads(run.stdout)
    return task


def test_a_repository_is_brought_and_the_branch_is_pulled(swarm: Swarm, repo: Path) -> None:
    task = submitted(swarm, repo)
    assert str(task["repo"]).startswith("swarm://git/repo-")
    assert task["repoSettings"] == "project"
    assert git(repo, "branch", "--list", "swarm/*") == ""
    inside = Swarm.__new__(Swarm)
    inside.__dict__.update(swarm.__dict__, folder=repo)
    pulled = inside("pull", str(task["id"])[:9])
    assert pulled.returncode == 0, pulled.stderr
    branch = str(task["result"]["branch"])  # type: ignore[index]
    assert branch in pulled.stdout
    assert "1 commit" in pulled.stdout
    assert git(repo, "show", f"{branch}:new.txt") == "new"


def test_what_is_not_committed_stays_here_unless_it_is_asked_for(swarm: Swarm, repo: Path) -> None:
    (repo / "README.md").write_text("changed\n")
    (repo / "untracked.txt").write_text("here\n")
    before = git(repo, "status", "--porcelain")
    plain, whole = submitted(swarm, repo), submitted(swarm, repo, "--with-changes")
    assert plain["baseRef"] == git(repo, "rev-parse", "HEAD")
    assert git(repo, "show", f"{whole['baseRef']}:untracked.txt") == "here"
    assert git(repo, "show", f"{whole['baseRef']}:README.md") == "changed"
    assert git(repo, "rev-parse", f"{whole['baseRef']}^") == plain["baseRef"]
    assert git(repo, "status", "--porcelain") == before


def test_a_branch_that_went_another_way_is_not_overwritten_unless_that_is_asked_for(swarm: Swarm, repo: Path) -> None:
    task = submitted(swarm, repo)
    branch = str(task["result"]["branch"])  # type: ignore[index]
    tree = git(repo, "rev-parse", "HEAD^{tree}")
    mine = git(repo, "-c", "user.name=A", "-c", "user.email=a@b", "commit-tree", tree, "-p", "HEAD", "-m", "Mine")
    git(repo, "update-ref", f"refs/heads/{branch}", mine)
    inside = Swarm.__new__(Swarm)
    inside.__dict__.update(swarm.__dict__, folder=repo)
    refused = inside("pull", str(task["id"]))
    assert refused.returncode == 1
    assert "rejected" in refused.stderr
    assert git(repo, "rev-parse", branch) == mine
    assert inside("pull", str(task["id"]), "--force").returncode == 0


def test_outside_a_repository_there_is_nowhere_to_pull_to(swarm: Swarm, repo: Path) -> None:
    task = submitted(swarm, repo)
    assert swarm("pull", str(task["id"])).returncode == 2


def test_a_path_is_not_brought_to_a_hub_of_this_machine(swarm: Swarm, repo: Path) -> None:
    run = swarm("submit", "-p", WRITES, "--repo", str(repo), "--wait", "--json")
    assert json.loads(run.stdout)["repo"] == str(repo)


def test_changes_go_with_what_is_brought(swarm: Swarm, repo: Path) -> None:
    assert swarm("submit", "-p", WRITES, "--repo", str(repo), "--with-changes").returncode == 2


@pytest.fixture
def fly() -> Iterator[FlyApps]:
    with FlyApps() as apps:
        yield apps


def test_setup_makes_the_workers_app_and_finds_it_again(lonely: Swarm, fly: FlyApps) -> None:
    answers = json.dumps({"executorType": "fly", "flyAppName": "agents", "flyApiToken": TOKEN})
    for said in ("made the app agents", "has the app agents"):
        run = lonely("setup", "--stdin", stdin=answers, FLY_FLAPS_BASE_URL=fly.url)
        assert run.returncode == 0, run.stderr
        assert said in run.stdout


def test_setup_says_that_a_name_is_somebody_elses(lonely: Swarm, fly: FlyApps) -> None:
    answers = json.dumps({"executorType": "fly", "flyAppName": "taken", "flyApiToken": TOKEN})
    run = lonely("setup", "--stdin", stdin=answers, FLY_FLAPS_BASE_URL=fly.url)
    assert run.returncode == 1
    assert "swarm config set flyAppName" in run.stderr
