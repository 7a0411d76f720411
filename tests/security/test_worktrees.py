"""What an agent does to its worktree takes nothing into the branch that lies elsewhere, and removes nothing there."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from hubs import HubProcess
from security.tasks import git, log, run
from swarm_api.client import HubClient

AWAY = "W=$PWD; cd ..; mv $W $W.away; ln -s {precious} $W"


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A folder of the user's that no agent has to do with."""
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "letter").write_text("Dear Ada\n")
    return folder


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


async def test_a_worktree_that_became_a_link_is_not_committed(client: HubClient, repo: Path, precious: Path) -> None:
    task = await run(client, {"run": AWAY.format(precious=precious)}, repo=str(repo))
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.code == "delivery_failed"
    assert "letter" not in git(repo, "log", "--all", "--name-only", "--format=")


async def test_nothing_is_deleted_where_a_linked_worktree_leads(client: HubClient, repo: Path, precious: Path) -> None:
    disguise = f"cp .git {precious}/.git; "
    task = await run(client, {"run": disguise + AWAY.format(precious=precious)}, repo=str(repo))
    await client.retry(task.id)
    await client.wait(task.id)
    assert content(precious)["letter"] == "Dear Ada\n"


async def test_nothing_is_deleted_when_verify_puts_a_link_there(client: HubClient, repo: Path, precious: Path) -> None:
    disguise = f"cp .git {precious}/.git; "
    task = await run(
        client, {"done": "."}, verify=disguise + AWAY.format(precious=precious) + "; false", repo=str(repo)
    )
    await client.retry(task.id)
    await client.wait(task.id)
    assert content(precious)["letter"] == "Dear Ada\n"


async def test_the_folder_for_temporary_files_is_removed_and_not_what_a_link_leads_to(
    client: HubClient, repo: Path, precious: Path
) -> None:
    steps = "A=$(dirname $TMPDIR); mkdir {0}/tmp; touch {0}/tmp/kept; mv $A $A.away; ln -s {0} $A"
    await run(client, {"run": steps.format(precious)}, repo=str(repo))
    assert (precious / "tmp/kept").exists()


async def test_a_patch_is_written_over_nothing_that_an_agent_links_to(
    client: HubClient, repo: Path, precious: Path
) -> None:
    step = f"echo new > new; ln -s {precious}/letter $TMPDIR/patch; ln -s {precious}/letter $TMPDIR/attributes"
    task = await run(client, {"run": step}, deliver="patch", repo=str(repo))
    assert "+new" in await client.diff(task.id)
    assert content(precious) == {"letter": "Dear Ada\n"}


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
async def test_work_that_git_was_told_not_to_look_at_is_not_removed(
    hub: HubProcess, client: HubClient, repo: Path, flag: str
) -> None:
    task = await run(client, {"run": f"git update-index {flag} README.md; echo work > README.md"}, repo=str(repo))
    (left,) = (hub.data_dir / "worktrees").glob("*/README.md")
    assert left.read_text() == "work\n"
    assert "git was told not to look at README.md" in await log(client, task)


@pytest.mark.parametrize("key", ["filter.evil.clean", "core.fsmonitor"])
async def test_the_worker_runs_nothing_that_a_repository_inside_the_worktree_is_configured_to_run(
    client: HubClient, repo: Path, tmp_path: Path, key: str
) -> None:
    trace = tmp_path / "trace"
    inside = (
        "git init -q inner; cd inner; echo a > file; git add file; git commit -qm a; cd ..; git add inner",
        f"cd inner; git config {key} {shlex.quote(f'touch {trace}; cat')}",
        "cd inner; echo '* filter=evil' > .git/info/attributes; echo b > file",
    )
    task = await run(client, *({"run": step} for step in inside), repo=str(repo))
    assert task.result is not None
    assert task.result.files_changed == ["inner"]
    assert not trace.exists()


async def test_work_in_a_repository_inside_the_worktree_is_not_removed(
    hub: HubProcess, client: HubClient, repo: Path
) -> None:
    begin = "git init -q inner; cd inner; echo a > file; git add file; git commit -qm a; cd ..; git add inner"
    await run(client, {"run": begin}, {"run": "echo b > inner/file"}, repo=str(repo))
    (left,) = (hub.data_dir / "worktrees").glob("*/inner/file")
    assert left.read_text() == "b\n"


async def test_a_simulated_agent_writes_nothing_where_a_link_of_the_repository_leads(
    start_hub: Callable[..., HubProcess], repo: Path, precious: Path
) -> None:
    (repo / "notes").symlink_to(precious)
    (repo / "letter.md").symlink_to(precious / "letter")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "Links")
    hub = start_hub(SIMULATE_MODE="true")
    async with hub.client() as client:
        assert (await run(client, {}, repo=str(repo))).status == "completed"
    assert content(precious) == {"letter": "Dear Ada\n"}
