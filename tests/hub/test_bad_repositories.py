"""Repositories a task may not name, by whatever way they are named."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from hub.git import git
from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from hub.submitting import submit, submit_batch

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("nothing_stored")]


def roots(hub: PlayedHub) -> Path:
    (root,) = hub.parts.settings.repo_roots
    return root


@pytest.fixture
def own_repo(shared: PlayedHub, repo: Path) -> Path:
    """A repository below the roots."""
    copy = roots(shared) / f"repo-{repo.parent.name}"
    git("clone", "-q", repo, copy)
    return copy


async def test_a_folder_that_does_not_exist_is_no_repository(shared: PlayedHub, tmp_path_factory: Any) -> None:
    nowhere = roots(shared) / "nowhere"
    assert_problem(await submit(shared, repo=str(nowhere)), 422, "repo_not_found", "repo")
    assert_problem(await submit_batch(shared, {"repo": str(nowhere)}), 422, "repo_not_found", "tasks.0.repo")


async def test_a_folder_or_file_that_is_no_repository_is_refused(shared: PlayedHub) -> None:
    folder, file = roots(shared) / "plain", roots(shared) / "file"
    folder.mkdir()
    file.write_text("x")
    for path in (folder, file):
        assert_problem(await submit(shared, repo=str(path)), 422, "repo_not_found", "repo")


async def test_a_plain_folder_inside_a_repository_that_is_outside_the_roots_is_refused(
    shared: PlayedHub, repo: Path
) -> None:
    within = roots(shared)
    git("init", "-q", within.parent)
    try:
        (within / "inside").mkdir()
        assert_problem(await submit(shared, repo=str(within / "inside")), 403, "repo_not_allowed")
    finally:
        shutil.rmtree(within.parent / ".git")


async def test_a_repository_without_a_commit_has_nothing_to_start_from(shared: PlayedHub) -> None:
    empty = roots(shared) / "empty"
    git("init", "-q", empty)
    assert_problem(await submit(shared, repo=str(empty)), 422, "ref_not_found", "repo")


@pytest.mark.parametrize("spell", [str, Path.as_uri], ids=["path", "url"])
async def test_a_repository_outside_the_roots_is_forbidden(shared: PlayedHub, repo: Path, spell: Any) -> None:
    assert_problem(await submit(shared, repo=spell(repo)), 403, "repo_not_allowed")


async def test_a_repository_outside_the_roots_is_forbidden_whether_it_exists_or_not(shared: PlayedHub) -> None:
    assert_problem(await submit(shared, repo="/nowhere/at/all"), 403, "repo_not_allowed")


async def test_dots_lead_nowhere_outside_the_roots(shared: PlayedHub, repo: Path) -> None:
    around = f"{roots(shared)}/../{repo.parent.name}/repo"
    assert_problem(await submit(shared, repo=around), 403, "repo_not_allowed")
    assert_problem(await submit(shared, repo=f"file://{around.replace('..', '%2e%2e')}"), 403, "repo_not_allowed")


async def test_a_symlink_leads_nowhere_outside_the_roots(shared: PlayedHub, repo: Path) -> None:
    link = roots(shared) / f"link-{repo.parent.name}"
    link.symlink_to(repo)
    assert_problem(await submit(shared, repo=str(link)), 403, "repo_not_allowed")
    assert_problem(await submit(shared, repo=link.as_uri()), 403, "repo_not_allowed")


async def test_a_path_the_system_cannot_follow_is_no_repository(shared: PlayedHub) -> None:
    loop = roots(shared) / "loop"
    loop.symlink_to(loop)
    for path in (loop, roots(shared) / ("x" * 300)):
        assert_problem(await submit(shared, repo=str(path)), 422, "repo_not_found", "repo")


async def test_a_git_folder_elsewhere_leads_nowhere_outside_the_roots(shared: PlayedHub, repo: Path) -> None:
    borrowed = roots(shared) / f"borrowed-{repo.parent.name}"
    borrowed.mkdir()
    (borrowed / ".git").write_text(f"gitdir: {repo}/.git\n")
    assert_problem(await submit(shared, repo=str(borrowed)), 403, "repo_not_allowed")


@pytest.mark.parametrize(
    "url",
    [
        "file://host/srv/x",  # git takes this for the path //host/srv/x
        "file://x",
        "file:///srv/x?y",
        "file:///srv/x#",
        "file:///srv/%00",
        "FILE:///srv/x",
        " file:///srv/x",
        "https://user:secret@example.org/x.git",
        "https://token@example.org/x.git",
        "ssh://git:secret@example.org/x.git",
        "https:///x.git",
        "https://[example.org/x.git",
        "ssh://-oProxyCommand=id/x",
        "ssh://-oProxyCommand=id@example.org/x",
        "-oProxyCommand=id@example.org:x",
    ],
)
async def test_a_url_that_git_would_read_in_another_way_is_refused(shared: PlayedHub, url: str) -> None:
    answer = await submit(shared, repo=url)
    assert_problem(answer, 422, "invalid_input", "repo")


async def test_credentials_in_a_url_are_not_repeated_in_the_answer(shared: PlayedHub) -> None:
    answer = await submit(shared, repo="https://user:hunter2@example.org/x.git")
    assert "hunter2" not in answer.text


async def test_a_ref_that_does_not_exist_is_refused(shared: PlayedHub, own_repo: Path) -> None:
    assert_problem(await submit(shared, repo=str(own_repo), baseRef="nope"), 422, "ref_not_found", "baseRef")


async def test_a_ref_that_begins_with_a_dash_is_refused(shared: PlayedHub, own_repo: Path) -> None:
    answer = await submit(shared, repo=str(own_repo), baseRef="--output=/tmp/x")
    assert_problem(answer, 422, "invalid_input", "baseRef")


async def test_a_base_without_a_repository_is_refused(shared: PlayedHub) -> None:
    assert_problem(await submit(shared, baseRef="main"), 422, "invalid_input", "baseRef")


async def test_an_admin_may_name_a_repository_anywhere(tmp_path: Path, repo: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    async with played_hub(root) as hub:
        task = {"prompt": "Go", "hold": True, "repo": str(repo)}
        assert (await hub.post("/api/tasks", task, **hub.bearer("tasks:write"))).status_code == 403
        assert (await hub.post("/api/tasks", task, **hub.bearer("tasks:write", "admin"))).status_code == 201
