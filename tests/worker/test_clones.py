"""Repositories by URL: one clone on a machine, for all its workers."""

import asyncio
import shutil
from pathlib import Path

import pytest

from swarm_worker.checkout import CheckoutFailed
from swarm_worker.keeping import save
from swarm_worker.sources import clone_of
from worker.ground import BRANCH, Ground, again, commit, git, show, url, write


@pytest.fixture
def origin(repo: Path, tmp_path: Path) -> str:
    """The URL of a bare repository with the sample in it."""
    git(tmp_path, "clone", "-q", "--bare", str(repo), "origin.git")
    return f"file://{tmp_path}/origin.git"


def publish(repo: Path, tmp_path: Path, refs: str = "main") -> None:
    git(repo, "push", "-q", str(tmp_path / "origin.git"), refs)


async def test_the_clone_is_where_the_hub_looks_for_it(ground: Ground, origin: str) -> None:
    checkout = await ground.open(url(origin))
    clone = clone_of(ground.workspace / "clones", origin)
    assert checkout.common == clone
    write(checkout.path, "a.txt")
    await save(checkout, "work")
    assert show(clone, "a.txt") == "new"


async def test_ten_workers_that_want_the_same_url_at_once_share_one_clone(ground: Ground, origin: str) -> None:
    orders = [url(origin, branch=f"swarm/0f3k9x2{n:02}-task") for n in range(10)]
    checkouts = await asyncio.gather(*(ground.open(order, 60) for order in orders))
    assert {checkout.common for checkout in checkouts} == {clone_of(ground.workspace / "clones", origin)}
    assert all((checkout.path / "README.md").exists() for checkout in checkouts)


async def test_what_was_pushed_meanwhile_is_fetched(ground: Ground, origin: str, repo: Path, tmp_path: Path) -> None:
    await ground.open(url(origin))
    later = commit(repo, "later.txt")
    publish(repo, tmp_path)
    assert (await ground.open(url(origin, branch="swarm/0f3k9x2zz-next"))).base == later


@pytest.mark.parametrize("ref", [None, "main", "v1", "side/way", "refs/heads/side/way", "by id", "refs/pull/7/head"])
async def test_a_base_may_be_whatever_the_remote_has(
    ground: Ground, origin: str, repo: Path, tmp_path: Path, ref: str | None
) -> None:
    git(repo, "checkout", "-q", "-b", "side/way")
    wanted = commit(repo, "side.txt")
    git(repo, "tag", "v1")
    for refs in ("side/way", "v1", "side/way:refs/pull/7/head"):
        publish(repo, tmp_path, refs)
    expected = git(repo, "rev-parse", "main") if ref in (None, "main") else wanted
    assert (await ground.open(url(origin, wanted if ref == "by id" else ref))).base == expected


async def test_a_branch_of_the_remote_wins_over_what_a_task_called_the_same(
    ground: Ground, origin: str, repo: Path, tmp_path: Path
) -> None:
    first = await ground.open(url(origin))
    git(first.path, "branch", "next", first.base)
    git(repo, "checkout", "-q", "-b", "next")
    wanted = commit(repo, "next.txt")
    publish(repo, tmp_path, "next")
    assert (await ground.open(url(origin, "next", branch="swarm/0f3k9x2zz-next"))).base == wanted


async def failure(ground: Ground, address: str, ref: str | None = None) -> tuple[str, str]:
    with pytest.raises(CheckoutFailed) as caught:
        await ground.open(url(address, ref))
    return caught.value.code, str(caught.value)


async def test_a_ref_that_the_remote_has_not_is_said_not_to_be(ground: Ground, origin: str) -> None:
    assert await failure(ground, origin, "nope") == ("ref_not_found", f"{origin} has no 'nope'")


async def test_a_remote_without_a_commit_is_said_to_have_none(ground: Ground, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "empty.git")
    code, message = await failure(ground, f"file://{tmp_path}/empty.git")
    assert (code, "no commit yet" in message) == ("ref_not_found", True)


async def test_a_remote_that_is_not_there_is_said_not_to_be(ground: Ground, tmp_path: Path) -> None:
    code, message = await failure(ground, f"file://{tmp_path}/nowhere.git")
    assert code == "repo_not_found"
    assert message.startswith(f"cannot fetch file://{tmp_path}/nowhere.git: ")


async def test_a_remote_that_does_not_answer_is_said_not_to(ground: Ground) -> None:
    code, message = await failure(ground, "https://127.0.0.1:1/x/y.git")
    assert (code, "127.0.0.1" in message) == ("clone_failed", True)


@pytest.mark.parametrize("address", ["ext::sh -c 'touch ran'", "http://127.0.0.1:1/x.git", "git://127.0.0.1:1/x.git"])
async def test_other_protocols_are_refused(ground: Ground, address: str) -> None:
    code, message = await failure(ground, address)
    assert (code, "not allowed" in message) == ("clone_failed", True)


async def test_a_clone_that_was_broken_off_is_begun_again(ground: Ground, origin: str) -> None:
    clone = clone_of(ground.workspace / "clones", origin)
    write(clone.with_suffix(".new"), "half")
    assert (await ground.open(url(origin))).common == clone


async def test_a_next_attempt_needs_no_remote(ground: Ground, origin: str, tmp_path: Path) -> None:
    first = await ground.open(url(origin))
    write(first.path, "half.txt")
    ground.leave()
    shutil.rmtree(tmp_path / "origin.git")
    second = await ground.open(again(url(origin)))
    assert git(second.path, "show", f"{BRANCH}:half.txt") == "new"
