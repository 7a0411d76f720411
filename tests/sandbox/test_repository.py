"""What an agent in a sandbox does to its repository changes nothing in the real one but its own branch."""

import hashlib
from pathlib import Path

import pytest

from hubs import HubProcess
from sandbox.trying import lines
from security.tasks import git, log, run
from swarm_api.client import HubClient
from swarm_api.tasks import Task

COMMIT = "echo new > new && git add new && git commit -qm 'Mine'"
COMMON = "cd $(git rev-parse --git-common-dir)"


def code(task: Task) -> str | None:
    return task.result.error.code if task.result and task.result.error else None


def state(repo: Path) -> dict[str, str]:
    """Every file of the repository but what git adds for a branch and a worktree of somebody's."""
    folder = repo / ".git"
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        if not name.startswith(
            ("objects/", "worktrees/", "refs/heads/swarm/", "logs/refs/heads/swarm/", "claude-swarm")
        ):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def objects(repo: Path) -> set[str]:
    return set(git(repo, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split())


@pytest.mark.parametrize(
    "harm",
    [
        f"git config core.fsmonitor evil; git config --global alias.st evil; ({COMMON}; echo evil >> config)",
        f"({COMMON}; mkdir -p hooks; echo evil > hooks/pre-commit; chmod +x hooks/pre-commit)",
        "git branch -qD other; git update-ref refs/heads/main HEAD; git tag -d v1; git tag v2; git pack-refs --all",
        f"({COMMON}; echo evil > packed-refs; rm -rf refs logs; echo evil > HEAD)",
        f"({COMMON}; rm -rf objects/* /run/swarm/objects/*)",
        f'(S=$(git rev-parse HEAD); {COMMON}; echo "$S refs/heads/a:refs/heads/main" >> packed-refs)',
        f'(S=$(git rev-parse HEAD); {COMMON}; cd refs/heads; mkdir "+a:refs"; echo $S > "+a:refs/main")',
        "git gc -q --prune=now; git prune --expire now; git repack -adfq; git reflog expire --all --expire=now",
        "git remote add evil /evil; git replace HEAD HEAD~; git notes add -m evil; git worktree prune --expire now",
        f"({COMMON}; echo evil > info/attributes; echo evil > objects/info/alternates; echo evil > shallow)",
        "rm -rf .git; mv .git x; ln -sf /tmp .git; echo 'gitdir: /tmp' > .git",
        "git worktree add -q ../two; git checkout -q --orphan fresh; git symbolic-ref HEAD refs/heads/main",
    ],
)
async def test_harm_stays_in_the_sandbox(client: HubClient, repo: Path, harm: str) -> None:
    git(repo, "branch", "other")
    git(repo, "tag", "v1")
    before, there = state(repo), objects(repo)
    await run(client, {"run": f"{COMMIT}; {harm}; true"}, repo=str(repo))
    assert state(repo) == before
    assert there <= objects(repo)
    assert git(repo, "fsck", "--strict") == ""
    assert git(repo, "status", "--porcelain") == ""


async def test_of_all_it_names_only_its_own_branch_arrives(client: HubClient, repo: Path) -> None:
    other = "git branch theirs HEAD; git branch swarm/neighbour HEAD; git tag mine HEAD; git update-ref refs/x/y HEAD"
    await run(client, {"run": f"{COMMIT}; {other}"}, repo=str(repo), name="own")
    names = git(repo, "for-each-ref", "--format=%(refname:short)").split()
    assert [name for name in names if not name.endswith("-own")] == ["main"]
    assert len(names) == 2


async def test_an_object_that_is_not_what_its_name_says_is_not_taken(client: HubClient, repo: Path) -> None:
    """Else the next one to make the real object would find this one in its place."""
    name = "file() { git rev-parse --git-path objects/$(echo $1 | cut -c1-2)/$(echo $1 | cut -c3-); }; "
    forge = f"{name} F=$(file $(git rev-parse HEAD:new)); E=$(file $(echo evil | git hash-object -w --stdin)); "
    forge += "chmod u+w $F; cat $E > $F"
    before = objects(repo)
    task = await run(client, {"run": f"{COMMIT}; {forge}"}, repo=str(repo))
    assert (task.status, code(task)) == ("failed", "delivery_failed")
    assert objects(repo) == before
    assert git(repo, "fsck", "--strict") == ""


async def test_a_tree_that_git_would_check_out_into_a_repository_is_not_taken(client: HubClient, repo: Path) -> None:
    evil = "T=$(printf '100644 blob %s\\tconfig\\n' $(git rev-parse HEAD:README.md) | git mktree); "
    evil += "T=$(printf '040000 tree %s\\t.git\\n' $T | git mktree); "
    evil += "git update-ref HEAD $(git commit-tree -m evil -p HEAD $T)"
    task = await run(client, {"run": evil}, repo=str(repo))
    assert (task.status, code(task)) == ("failed", "delivery_failed")
    assert git(repo, "log", "--all", "--format=%s").split() == ["Begin"]


async def test_work_that_is_not_taken_stays_and_the_next_attempt_has_it(client: HubClient, repo: Path) -> None:
    break_it = {"run": f"{COMMIT}; {COMMON}; mv objects o; chmod 0 o", "attempt": 1}
    task = await run(client, break_it, {"run": "cat new", "attempt": 2}, repo=str(repo))
    assert code(task) == "delivery_failed"
    await client.retry(task.id)
    task = await client.wait(task.id)
    assert task.result is not None
    assert (task.status, await lines(client, task)) == ("completed", ["new"])
    assert git(repo, "show", f"{task.result.branch}:new") == "new"
    assert "its repository is broken and kept in" in await log(client, task)


@pytest.mark.parametrize(
    "key", ["core.fsmonitor", "core.hooksPath", "filter.evil.clean", "core.sshCommand", "core.alternateRefsCommand"]
)
async def test_what_it_configures_to_run_runs_in_the_sandbox_or_not_at_all(
    client: HubClient, repo: Path, tmp_path: Path, key: str
) -> None:
    trace = tmp_path / "trace"
    trace.mkdir()
    hook = f"mkdir -p $HOME/h; echo 'touch {trace}/x' > $HOME/h/post-index-change; chmod +x $HOME/h/*"
    what = "$HOME/h" if key == "core.hooksPath" else f'"touch {trace}/x; cat"'
    await run(
        client, {"run": f"{hook}; git config {key} {what}; echo '* filter=evil' > .gitattributes; echo more > new"},
        repo=str(repo),
    )  # fmt: skip
    assert list(trace.iterdir()) == []


async def test_nothing_is_removed_where_a_link_in_its_repository_leads(
    client: HubClient, hub: HubProcess, repo: Path, tmp_path: Path
) -> None:
    """The worker removes the locks that a killed git leaves: in the sandbox."""
    precious = tmp_path / "precious"
    lead_away = f"N=$(basename $(git rev-parse --git-dir)); {COMMON}; mv worktrees w; ln -s {precious} worktrees"
    task = await client.submit(
        {"prompt": f'[{{"run": "{lead_away}"}}]', "repo": str(repo), "name": "leads", "hold": True}
    )
    (precious / f"{task.id[4:13]}-leads").mkdir(parents=True)
    lock = precious / f"{task.id[4:13]}-leads" / "index.lock"
    lock.touch()
    await client.execute(task.id)
    await client.wait(task.id)
    assert lock.exists()


async def test_passwords_in_the_repositorys_configuration_are_out_of_sight(client: HubClient, repo: Path) -> None:
    git(repo, "config", "http.https://example.org/.extraheader", "Authorization: basic canary")
    git(repo, "config", "remote.origin.url", "https://ada:canary@example.org/repo.git")
    git(repo, "config", "credential.helper", "!echo canary")
    git(repo, "config", "my.token", "canary")
    look = f"git config --list; git remote -v; {COMMON}; cat config; grep -r canary . /run/swarm"
    told = "\n".join(await lines(client, await run(client, {"run": look}, repo=str(repo))))
    assert "canary" not in told
    assert "origin\thttps://example.org/repo.git (fetch)" in told


async def test_of_very_many_branches_it_makes_some_are_kept_and_the_rest_is_told(client: HubClient, repo: Path) -> None:
    many = "for i in $(seq 25); do git branch b$i $(git commit-tree -m $i -p HEAD HEAD^{tree}); done"
    task = await run(client, {"run": many}, repo=str(repo))
    assert len(git(repo, "branch", "--list", "swarm/*-kept-*").split()) == 20
    assert "5 more branches of the agent's are left out" in await log(client, task)


@pytest.fixture(params=['it\'s a "folder" with $(everything); in & it', "ünïcode", "-c"])
def renamed(request: pytest.FixtureRequest, repo: Path) -> Path:
    return repo.rename(repo.with_name(request.param))


async def test_a_repository_may_be_in_a_folder_of_any_name(client: HubClient, renamed: Path) -> None:
    task = await run(client, {"run": COMMIT}, repo=str(renamed))
    assert task.result is not None
    assert git(renamed, "show", f"{task.result.branch}:new") == "new"
