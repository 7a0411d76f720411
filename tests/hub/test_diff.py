"""`GET /api/tasks/{id}/diff`: what a task changed, as git says it or by file."""

import os
import subprocess
from pathlib import Path

import pytest

from hub.git import git
from hub.played import PlayedHub
from hub.problems import assert_problem
from swarm_api.tasks import Diff, FileDiff, Task


class Work:
    """A task's branch, worked on as its worker would: `finish` commits what lies there."""

    def __init__(self, hub: PlayedHub, repo: Path) -> None:
        self._hub = hub
        self.repo = repo

    async def finish(self) -> Task:
        """A completed task whose result names the commits before and after."""
        task, worker = await self._hub.running(repo=str(self.repo))
        base = git("rev-parse", "HEAD", folder=self.repo)
        branch = (await worker.claim())["branch"]
        commit = commit_all(self.repo, branch)
        await worker.finish(branch=branch, base_commit=base, commit=commit)
        return await self._hub.client.task(task.id)

    async def diff(self) -> Diff:
        return await self._hub.client.diff_files((await self.finish()).id)

    async def only_file(self) -> FileDiff:
        (file,) = (await self.diff()).files
        return file


def commit_all(repo: Path, branch: str) -> str:
    """Everything in the folder as a commit on a branch; the repository's own branch stays where it was."""
    git("checkout", "-q", "-b", branch, folder=repo)
    git("add", "-A", folder=repo)
    git("commit", "-q", "-m", "Work", folder=repo)
    commit = git("rev-parse", "HEAD", folder=repo)
    git("checkout", "-q", "main", folder=repo)
    return commit


@pytest.fixture
def work(hub: PlayedHub, repo: Path) -> Work:
    return Work(hub, repo)


async def test_the_unified_diff_is_gits_own_and_applies(hub: PlayedHub, work: Work, tmp_path: Path) -> None:
    (work.repo / "README.md").write_text("# Another\n")
    (work.repo / "new.txt").write_text("new\n")
    task = await work.finish()
    answer = await hub.get(f"/api/tasks/{task.id}/diff", Accept="text/x-diff")
    assert answer.headers["content-type"].startswith("text/x-diff")
    (tmp_path / "patch").write_bytes(answer.content)
    git("apply", tmp_path / "patch", folder=work.repo)
    assert (work.repo / "README.md").read_text() == "# Another\n"
    assert (work.repo / "new.txt").read_text() == "new\n"


async def test_it_is_the_unified_diff_unless_json_is_asked_for(hub: PlayedHub, work: Work) -> None:
    (work.repo / "new.txt").write_text("new\n")
    task = await work.finish()
    assert (await hub.get(f"/api/tasks/{task.id}/diff")).text.startswith("diff --git a/new.txt b/new.txt")
    assert (await hub.get(f"/api/tasks/{task.id}/diff", Accept="application/json")).json()["files"]


async def test_by_file_it_counts_lines(work: Work) -> None:
    (work.repo / "src/app.py").write_text("def main() -> None:\n    print('bye')\n    print('now')\n")
    diff = await work.diff()
    (file,) = diff.files
    assert (file.path, file.status, file.additions, file.deletions) == ("src/app.py", "modified", 2, 1)
    assert (diff.additions, diff.deletions) == (2, 1)
    assert file.patch.startswith("diff --git a/src/app.py b/src/app.py\n")
    assert file.patch.endswith("\n")


async def test_it_names_the_commits_it_compares(work: Work) -> None:
    (work.repo / "new.txt").write_text("new\n")
    diff = await work.diff()
    assert diff.base_commit == git("rev-parse", "main", folder=work.repo)
    assert diff.commit is not None


async def test_a_new_file_is_added_and_a_removed_one_deleted(work: Work) -> None:
    (work.repo / "a.txt").write_text("a\n")
    (work.repo / "README.md").unlink()
    files = {file.path: file.status for file in (await work.diff()).files}
    assert files == {"a.txt": "added", "README.md": "deleted"}


async def test_an_empty_file_is_added_too(work: Work) -> None:
    (work.repo / "empty").touch()
    file = await work.only_file()
    assert (file.path, file.status, file.additions) == ("empty", "added", 0)


async def test_a_renamed_file_names_what_it_was(work: Work) -> None:
    (work.repo / "src/app.py").rename(work.repo / "src/main.py")
    file = await work.only_file()
    assert (file.path, file.old_path, file.status) == ("src/main.py", "src/app.py", "renamed")


async def test_a_change_of_mode_is_a_change(work: Work) -> None:
    (work.repo / "README.md").chmod(0o755)
    file = await work.only_file()
    assert (file.path, file.status, file.additions) == ("README.md", "modified", 0)


async def test_a_binary_file_is_marked_and_has_no_lines(work: Work) -> None:
    (work.repo / "logo.png").write_bytes(bytes(range(256)))
    file = await work.only_file()
    assert (file.path, file.binary, file.additions) == ("logo.png", True, 0)


@pytest.mark.parametrize(
    "name",
    [
        "with space.txt", "ünïcödé/日本語 🐝.txt", 'quo"te', 'ends in "', "tab\tin.txt", "new\nline", "back\\slash",
        "b/b b/b", " b/ ", "ünï\"cödé\t日", "-dash", "a => b",
    ],
)  # fmt: skip
async def test_a_name_comes_out_as_it_is(work: Work, name: str) -> None:
    (work.repo / name).parent.mkdir(parents=True, exist_ok=True)
    (work.repo / name).write_text("a\n")
    assert (await work.only_file()).path == name


@pytest.mark.parametrize("name", ['ünï"cödé\t日', "plain"])
async def test_a_renamed_files_names_come_out_as_they_are(work: Work, name: str) -> None:
    (work.repo / "src/app.py").rename(work.repo / name)
    file = await work.only_file()
    assert (file.path, file.old_path) == (name, "src/app.py")


async def test_a_name_that_is_no_utf8_is_still_shown(work: Work) -> None:
    (work.repo / os.fsdecode(b"caf\xe9")).write_text("a\n")
    assert (await work.only_file()).path == "caf\ufffd"


async def test_content_that_looks_like_a_diff_is_content(work: Work) -> None:
    lines = ["diff --git a/x b/x", "new file mode 100644", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "-a", "+b", "", "\\"]
    (work.repo / "trap").write_text("\n".join(lines) + "\n")
    file = await work.only_file()
    assert (file.path, file.status, file.additions) == ("trap", "added", len(lines))


async def test_content_without_a_last_newline_or_with_odd_line_ends_is_counted_right(work: Work) -> None:
    (work.repo / "odd").write_bytes(b"a\r\nb\x0cc\xe2\x80\xa8d\r\ne")
    assert (await work.only_file()).additions == 3


async def test_content_that_is_no_utf8_is_whole_in_the_unified_diff(hub: PlayedHub, work: Work) -> None:
    (work.repo / "latin").write_bytes("café\n".encode("latin-1"))
    task = await work.finish()
    assert b"+caf\xe9\n" in (await hub.get(f"/api/tasks/{task.id}/diff")).content
    assert "+caf\ufffd\n" in (await hub.client.diff_files(task.id)).files[0].patch


@pytest.mark.parametrize(
    "config",
    ["diff.noprefix=true", "diff.mnemonicPrefix=true", "diff.renames=false", "color.ui=always", "diff.external=false",
     "diff.submodule=log", "core.quotePath=true", "diff.srcPrefix=old/", "diff.suppressBlankEmpty=true"],
)  # fmt: skip
async def test_the_owners_git_settings_change_nothing(work: Work, config: str) -> None:
    git("config", *config.split("="), folder=work.repo)
    (work.repo / "src/app.py").rename(work.repo / "src/mäin.py")
    (work.repo / "README.md").write_text("# Another\n")
    readme, moved = (await work.diff()).files
    assert (readme.path, readme.status) == ("README.md", "modified")
    assert (moved.path, moved.old_path, moved.status) == ("src/mäin.py", "src/app.py", "renamed")


async def test_nothing_of_the_repository_runs(hub: PlayedHub, work: Work, tmp_path: Path) -> None:
    (work.repo / "README.md").write_text("# Another\n")
    task = await work.finish()
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for key in ("diff.external", "diff.evil.textconv", "diff.evil.command", "core.fsmonitor", "core.pager"):
        git("config", key, trap, folder=work.repo)
    (work.repo / ".git/info/attributes").write_text("* diff=evil\n")
    assert "+# Another" in await hub.client.diff(task.id)
    assert not (tmp_path / "sprung").exists()


async def test_a_task_that_changed_nothing_has_an_empty_diff(hub: PlayedHub, repo: Path) -> None:
    task, worker = await hub.running(repo=str(repo))
    head = git("rev-parse", "HEAD", folder=repo)
    await worker.finish(base_commit=head, commit=head)
    assert (await hub.client.diff_files(task.id)).files == []
    assert await hub.client.diff(task.id) == ""


async def test_a_task_that_has_not_begun_has_an_empty_diff(hub: PlayedHub, repo: Path) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True, "repo": str(repo)})
    assert await hub.client.diff(task.id) == ""


async def test_of_a_running_task_it_shows_what_the_branch_holds_so_far(hub: PlayedHub, repo: Path) -> None:
    task, worker = await hub.running(repo=str(repo))
    (repo / "new.txt").write_text("new\n")
    commit_all(repo, (await worker.claim())["branch"])
    git("commit", "-q", "--allow-empty", "-m", "main goes on", folder=repo)
    (file,) = (await hub.client.diff_files(task.id)).files
    assert (file.path, file.status) == ("new.txt", "added")


async def test_a_patch_is_shown_as_it_was_delivered(hub: PlayedHub, repo: Path) -> None:
    (repo / "new.txt").write_text("new\n")
    git("add", "-A", folder=repo)
    patch = git("diff", "--cached", folder=repo) + "\n"
    task, worker = await hub.running(repo=str(repo), deliver="patch")
    await worker.finish(patch=patch)
    assert await hub.client.diff(task.id) == patch
    assert [file.path for file in (await hub.client.diff_files(task.id)).files] == ["new.txt"]


async def test_work_that_is_no_longer_in_the_repository_is_gone_and_said_so(hub: PlayedHub, work: Work) -> None:
    (work.repo / "new.txt").write_text("new\n")
    task = await work.finish()
    subprocess.run(["rm", "-rf", work.repo], check=True)  # noqa: ASYNC221  # a moment
    assert_problem(await hub.get(f"/api/tasks/{task.id}/diff"), 410, "diff_gone")


@pytest.mark.parametrize("commit", ["--output=/tmp/x", "nope", "-R", ""])
async def test_a_commit_a_worker_made_up_is_not_taken_for_an_option(hub: PlayedHub, repo: Path, commit: str) -> None:
    task, worker = await hub.running(repo=str(repo))
    await worker.finish(base_commit=commit, commit=commit)
    answer = await hub.get(f"/api/tasks/{task.id}/diff")
    assert answer.status_code in (200, 410), answer.text
