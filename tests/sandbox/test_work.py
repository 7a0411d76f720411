"""In a sandbox an agent works as it does without one, and its work arrives."""

from pathlib import Path

import pytest

from hubs import HubProcess
from sandbox.trying import lines
from security.tasks import git, log, run
from swarm_api.client import HubClient
from swarm_api.tasks import Task
from waiting import until

COMMIT = "echo new > new && git add -A && git commit -qm 'Mine'"


def branch(task: Task) -> str:
    assert task.result is not None
    return task.result.branch or ""


async def test_what_it_committed_is_on_its_branch(client: HubClient, repo: Path) -> None:
    task = await run(client, {"run": COMMIT}, repo=str(repo))
    assert task.result is not None
    assert (task.status, task.result.files_changed) == ("completed", ["new"])
    assert git(repo, "log", "-1", "--format=%H %s %an", branch(task)) == f"{task.result.commit} Mine Ada"
    assert git(repo, "fsck", "--strict") == ""


async def test_what_it_did_not_commit_is_committed_for_it(client: HubClient, repo: Path) -> None:
    task = await run(client, {"run": "echo new > new; rm README.md"}, repo=str(repo))
    assert task.result is not None
    assert task.result.files_changed == ["README.md", "new"]
    assert git(repo, "ls-tree", "-r", "--name-only", branch(task)).split() == ["new", "src/app.py"]


async def test_nothing_of_it_is_left_behind(client: HubClient, hub: HubProcess, repo: Path) -> None:
    await run(client, {"run": COMMIT}, repo=str(repo))
    left = [path for name in ("sandboxes", "worktrees") for path in (hub.data_dir / name).iterdir()]
    assert left == []
    assert git(repo, "worktree", "list").count("\n") == 0


@pytest.mark.parametrize(
    "steps",
    [
        "git commit --amend -qm Again",
        "git rebase -q --root",
        "git checkout -q --detach && echo more > more && git add more && git commit -qm More",
        "git gc -q && git repack -adq && git prune && git fsck",
        "echo stash > README.md && git stash -q && git stash pop -q && git commit -qam Popped",
        "git tag -am one v1 && git describe --exact-match",
        "git config user.name Bo && echo more > more && git add more && git commit -qm More",
        "git notes add -m noted && git worktree list && git reflog && git log --all",
        "rm -f .git/x; git clean -fdxq && git reset -q --hard && git status",
        "git checkout -qb a HEAD~ && echo s > s && git add s && git commit -qm S && git checkout -q - && git merge a",
        "i=0; while [ $i -lt 150 ]; do i=$((i + 1)); echo $i > $i; done; git add -A; git commit -qm Many",
    ],
)
async def test_git_does_what_it_does_elsewhere(client: HubClient, repo: Path, steps: str) -> None:
    task = await run(client, {"run": f"{COMMIT} && {steps} && git rev-parse HEAD"}, repo=str(repo))
    assert "exit 0" in await lines(client, task, "tool"), await log(client, task)
    assert task.status == "completed", await log(client, task)
    assert git(repo, "rev-parse", branch(task)) == (await lines(client, task))[-1]
    assert git(repo, "fsck", "--strict") == ""


async def test_the_base_and_the_other_branches_are_there_to_read(client: HubClient, repo: Path) -> None:
    git(repo, "branch", "other")
    task = await run(
        client, {"run": "git log --format=%s main; git branch --format='%(refname:short)'"}, repo=str(repo)
    )
    assert await lines(client, task) == ["Begin", "main", "other", branch(task)]


async def test_objects_that_the_repository_borrows_are_there_too(client: HubClient, repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--shared", str(repo), "borrower")
    task = await run(client, {"run": f"git fsck && cat README.md && {COMMIT}"}, repo=str(tmp_path / "borrower"))
    assert await lines(client, task) == ["# A sample"]
    assert git(tmp_path / "borrower", "show", f"{branch(task)}:new") == "new"


async def test_a_shallow_repository(client: HubClient, repo: Path, tmp_path: Path) -> None:
    git(repo, "commit", "-q", "--allow-empty", "-m", "Another")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repo}", "shallow")
    task = await run(client, {"run": f"{COMMIT} && git log --format=%s"}, repo=str(tmp_path / "shallow"))
    assert await lines(client, task) == ["Mine", "Another"]
    assert git(tmp_path / "shallow", "show", f"{branch(task)}:new") == "new"


async def test_in_no_repository_it_gets_one(client: HubClient, hub: HubProcess) -> None:
    task = await run(client, {"run": COMMIT})
    (scratch,) = [path for path in (hub.data_dir / "scratch").iterdir() if path.is_dir()]
    assert git(scratch, "show", f"{branch(task)}:new") == "new"
    assert git(scratch, "status", "--porcelain") == ""


async def test_a_scratch_repository_is_gone_on_with(client: HubClient, hub: HubProcess) -> None:
    task = await run(client, {"run": COMMIT, "attempt": 1}, {"fail": "!", "attempt": 1}, {"run": "git log --format=%s"})
    await client.retry(task.id)
    await client.wait(task.id)
    assert await lines(client, task) == ["Mine", "Start"]


async def test_a_clone_is_fetched_and_pushed_outside(client: HubClient, repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "remote.git")
    task = await run(client, {"run": COMMIT}, repo=f"file://{tmp_path}/remote.git", push=True)
    assert git(tmp_path / "remote.git", "show", f"{branch(task)}:new") == "new"


async def test_a_patch_is_delivered(client: HubClient, repo: Path) -> None:
    task = await run(client, {"run": COMMIT}, repo=str(repo), deliver="patch")
    assert "+new" in await client.diff(task.id)
    await until(lambda: not git(repo, "branch", "--list", "swarm/*"))


@pytest.mark.parametrize(("command", "status"), [("test -e new", "completed"), ("test -e old", "failed")])
async def test_verify_decides(client: HubClient, repo: Path, command: str, status: str) -> None:
    assert (await run(client, {"run": COMMIT}, repo=str(repo), verify=command)).status == status


async def test_what_verify_commits_is_no_work(client: HubClient, repo: Path) -> None:
    task = await run(client, {"run": COMMIT}, repo=str(repo), verify="git commit -q --allow-empty -m Verified")
    assert git(repo, "log", "-1", "--format=%s", branch(task)) == "Mine"


async def test_a_retry_goes_on_where_the_last_attempt_was(client: HubClient, repo: Path) -> None:
    first = {"run": f"{COMMIT}; echo half > half; git checkout -q --detach", "attempt": 1}
    task = await run(
        client, first, {"fail": "!", "attempt": 1}, {"run": "cat new half; git status -sb"}, repo=str(repo)
    )
    await client.retry(task.id)
    await client.wait(task.id)
    assert await lines(client, task) == ["new", "half", f"## {branch(task)}"]


async def test_a_fresh_retry_starts_over_and_keeps_what_was_there(client: HubClient, repo: Path) -> None:
    task = await run(client, {"run": COMMIT, "attempt": 1}, {"fail": "!", "attempt": 1}, {"run": "ls"}, repo=str(repo))
    await client.retry(task.id, fresh=True)
    task = await client.wait(task.id)
    assert await lines(client, task) == ["README.md", "src"]
    assert git(repo, "show", f"{branch(task)}-kept-1:new") == "new"
    assert git(repo, "rev-parse", branch(task)) == git(repo, "rev-parse", "main")


@pytest.mark.parametrize("where", ["", "git checkout -q --detach &&"])
async def test_what_a_killed_worker_left_comes_home_with_the_next_attempt(
    client: HubClient, repo: Path, where: str
) -> None:
    left = {"run": f"{where} {COMMIT} && echo half > half && git add half", "attempt": 1}
    died = {"kill_worker": True, "attempt": 1}
    task = await run(client, left, died, {"run": "cat new half"}, repo=str(repo), maxAttempts=2)
    assert (task.status, task.attempts, await lines(client, task)) == ("completed", 2, ["new", "half"])
    assert git(repo, "show", f"{branch(task)}:new") == "new"


async def test_what_it_commits_is_on_its_branch_while_it_works(client: HubClient, hub: HubProcess, repo: Path) -> None:
    """Looked for every few seconds: a worker that is killed later has lost nothing of it."""
    task = await client.submit(
        {"prompt": f'[{{"run": "{COMMIT}"}}, {{"wait_file": "go"}}]', "repo": str(repo), "name": "slow"}
    )

    def arrived() -> bool:
        return "Mine" in git(repo, "log", "--format=%s", "--branches=swarm/*")

    await until(arrived)
    (worktree,) = (hub.data_dir / "worktrees").glob("*-slow")
    (worktree / "go").touch()
    assert (await client.wait(task.id)).status == "completed"


@pytest.mark.parametrize("keep", ["git stash -q", "git checkout -qb mine && git commit -qam mine && git checkout -q -"])
async def test_what_only_its_own_repository_holds_is_kept(client: HubClient, repo: Path, keep: str) -> None:
    task = await run(client, {"run": f"echo stashed > README.md && {keep}"}, repo=str(repo))
    assert git(repo, "show", f"{branch(task)}-kept-1:README.md") == "stashed"
    assert f"is kept as {branch(task)}-kept-1" in await log(client, task)


async def test_what_somebody_else_put_on_the_branch_meanwhile_is_kept(
    client: HubClient, hub: HubProcess, repo: Path
) -> None:
    task = await client.submit(
        {"prompt": f'[{{"run": "touch here"}}, {{"wait_file": "go"}}, {{"run": "{COMMIT}"}}]', "repo": str(repo)}
    )
    await until(lambda: list((hub.data_dir / "worktrees").glob("*/here")))
    (here,) = (hub.data_dir / "worktrees").glob("*/here")
    name = git(repo, "branch", "--list", "swarm/*", "--format=%(refname:short)")
    theirs = git(repo, "commit-tree", "-m", "Theirs", "-p", "main", "main^{tree}")
    git(repo, "update-ref", f"refs/heads/{name}", theirs)
    here.with_name("go").touch()
    task = await client.wait(task.id)
    assert git(repo, "rev-parse", f"{name}-kept-1") == theirs
    assert git(repo, "show", f"{name}:new") == "new"
