"""One worktree for each task: made, used again, given back."""

import asyncio
import shutil
from pathlib import Path

import pytest

from swarm_worker.checkout import Checkout, CheckoutFailed, registered
from swarm_worker.keeping import save
from swarm_worker.worktrees import leave, remove
from worker.ground import BRANCH, ORDER, Ground, again, commit, git, local, show, write


def snapshot(repo: Path) -> tuple[str, ...]:
    """What belongs to the user: where he is, what he has staged, what he has changed."""
    return (
        git(repo, "symbolic-ref", "HEAD"),
        git(repo, "rev-parse", "HEAD"),
        git(repo, "status", "--porcelain"),
        git(repo, "diff", "--cached"),
        (repo / ".git/index").read_bytes().hex(),
    )


async def failure(ground: Ground, repo: Path, base_ref: str | None = None) -> tuple[str, str]:
    with pytest.raises(CheckoutFailed) as caught:
        await ground.open(local(repo, base_ref))
    return caught.value.code, str(caught.value)


async def test_the_agent_works_on_its_branch_from_the_base(ground: Ground, repo: Path) -> None:
    checkout = await ground.open(local(repo))
    assert git(checkout.path, "symbolic-ref", "HEAD") == f"refs/heads/{BRANCH}"
    assert (checkout.path / "README.md").read_text() == "# A sample\n"
    assert checkout.base == git(repo, "rev-parse", "main")
    assert checkout.path == ground.workspace / "worktrees" / BRANCH.removeprefix("swarm/")


async def test_the_users_checkout_index_and_head_are_not_touched(ground: Ground, repo: Path) -> None:
    write(repo, "README.md", "in the middle of something\n")
    write(repo, "staged.txt")
    git(repo, "add", "staged.txt")
    before = snapshot(repo)
    checkout = await ground.open(local(repo))
    write(checkout.path, "a.txt")
    await save(checkout, "work")
    await remove(checkout, ground.last().site)
    assert snapshot(repo) == before


@pytest.mark.parametrize("ref", ["main", "v1", "HEAD~1", "refs/heads/main"])
async def test_a_base_may_be_whatever_names_a_commit(ground: Ground, repo: Path, ref: str) -> None:
    commit(repo, "more.txt")
    git(repo, "tag", "-a", "-m", "one", "v1")
    checkout = await ground.open(local(repo, ref))
    assert checkout.base == git(repo, "rev-parse", f"{ref}^{{commit}}")


@pytest.mark.parametrize("ref", ["no-such-branch", "-b", "--upload-pack=x", "main:README.md", "0" * 40])
async def test_a_base_that_is_no_commit_is_said_to_be_none(ground: Ground, repo: Path, ref: str) -> None:
    assert await failure(ground, repo, ref) == ("ref_not_found", f"{repo} has no {ref!r}")


async def test_a_repository_without_a_commit_is_said_to_have_none(ground: Ground, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "empty")
    code, message = await failure(ground, tmp_path / "empty")
    assert (code, message.partition(" has ")[2]) == (
        "ref_not_found",
        "no commit yet, so there is nothing to start from",
    )


async def test_a_folder_that_is_not_there_is_said_not_to_be(ground: Ground, tmp_path: Path) -> None:
    code, message = await failure(ground, tmp_path / "nowhere")
    assert (code, message) == ("repo_not_found", f"there is no folder {tmp_path}/nowhere on the worker's machine")


async def test_a_folder_that_is_no_repository_is_said_to_be_none(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    code, message = await failure(ground, tmp_path / "plain")
    assert code == "repo_not_found"
    assert "not a git repository" in message


async def test_a_bare_repository_will_do(ground: Ground, repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    checkout = await ground.open(local(tmp_path / "bare.git"))
    commit(checkout.path, "a.txt")
    await save(checkout, "work")
    await remove(checkout, ground.last().site)
    assert show(tmp_path / "bare.git", "a.txt") == "new"


async def test_a_worktree_of_the_users_will_do(ground: Ground, repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    before = git(tmp_path / "side", "status")
    checkout = await ground.open(local(tmp_path / "side"))
    assert checkout.common == repo / ".git"
    assert git(tmp_path / "side", "status") == before


async def test_git_does_not_prune_a_worktree_in_use(ground: Ground, repo: Path) -> None:
    checkout = await ground.open(local(repo))
    shutil.move(checkout.path, f"{checkout.path}-away")
    git(repo, "worktree", "prune", "--expire", "now")
    shutil.move(f"{checkout.path}-away", checkout.path)
    assert git(checkout.path, "status", "--porcelain") == ""


async def test_the_next_attempt_goes_on_with_what_was_left_uncommitted(ground: Ground, repo: Path) -> None:
    first = await ground.open(local(repo))
    write(first.path, "half.txt", "half\n")
    ground.leave()  # killed
    commit(repo, "later.txt")
    second = await ground.open(again(local(repo)))
    assert (second.path / "half.txt").read_text() == "half\n"
    assert git(second.path, "log", "-1", "--format=%s") == "wip: what an earlier attempt left"
    assert second.base == first.base


async def test_the_next_attempt_goes_on_from_the_branch_when_the_worktree_is_gone(ground: Ground, repo: Path) -> None:
    first = await ground.open(local(repo))
    write(first.path, "half.txt")
    await save(first, "wip")
    await remove(first, ground.last().site)
    ground.leave()
    commit(repo, "later.txt")
    second = await ground.open(again(local(repo)))
    assert (second.path / "half.txt").exists()
    assert second.base == first.base


async def test_a_base_that_nobody_remembers_is_where_the_branch_left_it(ground: Ground, repo: Path) -> None:
    first = await ground.open(local(repo))
    write(first.path, "half.txt")
    await save(first, "wip")
    await remove(first, ground.last().site)
    ground.last().site.lock.remove()
    ground.leave()
    commit(repo, "later.txt")
    assert (await ground.open(again(local(repo)))).base == first.base


async def test_a_kept_worktree_is_used_again(ground: Ground, repo: Path) -> None:
    first = await ground.open(local(repo))
    write(first.path, ".gitignore", "*.csv\n")
    write(first.path, "data.csv", "1\n")
    await save(first, "wip")
    await leave(first)
    git(repo, "checkout", "-q", BRANCH)  # it is free for others
    git(repo, "checkout", "-q", "main")
    ground.leave()
    second = await ground.open(again(local(repo)))
    assert (second.path / "data.csv").read_text() == "1\n"
    assert git(second.path, "symbolic-ref", "HEAD") == f"refs/heads/{BRANCH}"


async def test_a_fresh_attempt_starts_from_the_base_and_keeps_what_was_there(ground: Ground, repo: Path) -> None:
    first = await ground.open(local(repo))
    commit(first.path, "old.txt")
    write(first.path, "loose.txt")
    ground.leave()
    later = commit(repo, "later.txt")
    second = await ground.open(local(repo, attempt=2))
    assert (second.base, git(second.path, "rev-parse", "HEAD")) == (later, later)
    assert not (second.path / "old.txt").exists()
    assert show(repo, "loose.txt", f"{BRANCH}-kept-1") == show(repo, "old.txt", f"{BRANCH}-kept-1") == "new"
    assert any(f"{BRANCH}-kept-1" in line for line in ground.said)


async def test_a_fresh_attempt_without_a_worktree_keeps_the_branch_too(ground: Ground, repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", BRANCH)
    old = commit(repo, "old.txt")
    git(repo, "checkout", "-q", "main")
    await ground.open(local(repo))
    assert git(repo, "rev-parse", f"{BRANCH}-kept-1") == old


async def test_an_unfinished_rebase_of_an_earlier_attempt_is_ended(ground: Ground, repo: Path) -> None:
    first = await ground.open(local(repo))
    commit(repo, "README.md", "theirs\n")
    ours = commit(first.path, "README.md", "ours\n")
    git(first.path, "rebase", "main", ok=False)
    ground.leave()
    second = await ground.open(again(local(repo)))
    assert git(second.path, "rev-parse", "HEAD") == ours
    assert "rebase" not in git(second.path, "status")


async def test_a_worktree_that_was_never_complete_is_made_again(ground: Ground, repo: Path) -> None:
    first = await ground.open(local(repo))
    ground.last().site.mark_partial(first.base)
    (first.path / "README.md").unlink()
    ground.leave()
    second = await ground.open(again(local(repo)))
    assert (second.path / "README.md").exists()
    assert git(second.path, "log", "--format=%s") == "Begin"


async def test_a_worktree_whose_folder_was_deleted_is_made_again(ground: Ground, repo: Path) -> None:
    first = await ground.open(local(repo))
    own = commit(first.path, "a.txt")
    shutil.rmtree(first.path)
    ground.leave()
    second = await ground.open(again(local(repo)))
    assert git(second.path, "rev-parse", "HEAD") == own


async def test_a_folder_that_is_in_the_way_is_moved_aside(ground: Ground, repo: Path) -> None:
    path = ground.workspace / "worktrees" / BRANCH.removeprefix("swarm/")
    write(path, "precious.txt")
    checkout = await ground.open(local(repo))
    assert (Path(f"{path}-kept-1") / "precious.txt").exists()
    assert (checkout.path / "README.md").exists()
    assert f"{path}-kept-1" in ground.said[0]


async def test_two_attempts_never_share_a_worktree(ground: Ground, repo: Path) -> None:
    await ground.open(local(repo))
    with pytest.raises(CheckoutFailed, match="another attempt at this task still works in") as caught:
        await ground.open(again(local(repo)), patience=0.2)
    assert caught.value.code == "worktree_busy"


async def test_an_attempt_waits_for_the_one_before_it(ground: Ground, repo: Path) -> None:
    await ground.open(local(repo))
    waiting = asyncio.create_task(ground.open(again(local(repo))))
    asyncio.get_running_loop().call_later(0.2, ground.leave)
    assert (await waiting).branch == BRANCH


async def test_a_branch_that_the_user_has_checked_out_is_left_to_him(ground: Ground, repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", BRANCH)
    with pytest.raises(CheckoutFailed, match=f"is checked out in {repo}") as caught:
        await ground.open(again(local(repo)))
    assert caught.value.code == "worktree_busy"
    assert git(repo, "symbolic-ref", "HEAD") == f"refs/heads/{BRANCH}"


async def test_a_kept_worktree_whose_branch_the_user_has_checked_out_is_left_alone(ground: Ground, repo: Path) -> None:
    first = await ground.open(local(repo))
    write(first.path, "half.txt")
    await save(first, "wip")
    await leave(first)
    ground.leave()
    git(repo, "checkout", "-q", BRANCH)
    with pytest.raises(CheckoutFailed, match=f"is checked out in {repo}"):
        await ground.open(again(local(repo)))


async def test_twenty_worktrees_of_one_repository_are_made_at_once(ground: Ground, repo: Path) -> None:
    orders = [local(repo, branch=f"swarm/0f3k9x2{n:02}-task") for n in range(20)]
    checkouts = await asyncio.gather(*(ground.open(order) for order in orders))
    assert len({checkout.git_dir for checkout in checkouts}) == 20
    assert all((checkout.path / "src/app.py").exists() for checkout in checkouts)


async def test_a_worktree_that_another_git_is_just_making_is_waited_for(ground: Ground, repo: Path) -> None:
    half = write(repo, ".git/worktrees/half/commondir", "")
    write(half.parent, "HEAD", "ref: refs/heads/half\n")
    write(half.parent, "gitdir", f"{repo.parent}/half/.git\n")
    asyncio.get_running_loop().call_later(0.1, shutil.rmtree, half.parent)
    assert (await ground.open(local(repo))).base == git(repo, "rev-parse", BRANCH)
    assert not half.exists()


async def test_folders_that_protect_themselves_are_removed_too(ground: Ground, repo: Path) -> None:
    checkout = await ground.open(local(repo))
    commit(checkout.path, "cache/module.txt")
    (checkout.path / "cache").chmod(0o500)
    await remove(checkout, ground.last().site)
    assert not checkout.path.exists()


async def test_a_removed_worktree_leaves_the_branch_alone(ground: Ground, repo: Path) -> None:
    checkout = await ground.open(local(repo))
    own = commit(checkout.path, "a.txt")
    await remove(checkout, ground.last().site)
    assert git(repo, "rev-parse", BRANCH) == own
    assert not checkout.path.exists()
    assert registered(repo / ".git", checkout.path) is None


class TestScratch:
    """A task without a repository gets one of its own."""

    @pytest.fixture
    async def scratch(self, ground: Ground) -> Checkout:
        return await ground.open(ORDER)

    async def test_it_begins_with_an_empty_commit_on_main(self, scratch: Checkout, ground: Ground) -> None:
        assert scratch.path == ground.workspace / "scratch" / BRANCH.removeprefix("swarm/")
        assert git(scratch.path, "rev-parse", "main") == scratch.base == git(scratch.path, "rev-parse", BRANCH)
        assert git(scratch.path, "log", "-1", "--format=%s|%an") == "Start|Claude Swarm"

    async def test_the_work_is_on_the_branch(self, scratch: Checkout) -> None:
        write(scratch.path, "a.txt")
        await save(scratch, "work")
        assert show(scratch.path, "a.txt") == "new"

    async def test_the_next_attempt_goes_on(self, scratch: Checkout, ground: Ground) -> None:
        write(scratch.path, "a.txt")
        ground.leave()
        second = await ground.open(again(ORDER))
        assert git(second.path, "status", "--porcelain") == ""
        assert show(second.path, "a.txt") == "new"

    async def test_a_fresh_attempt_keeps_what_was_there(self, scratch: Checkout, ground: Ground) -> None:
        write(scratch.path, "a.txt")
        ground.leave()
        second = await ground.open(ORDER)
        assert not (second.path / "a.txt").exists()
        assert show(second.path, "a.txt", f"{BRANCH}-kept-1") == "new"

    async def test_one_that_was_never_complete_is_made_again(self, scratch: Checkout, ground: Ground) -> None:
        ground.last().site.mark_partial("")
        ground.leave()
        assert (await ground.open(ORDER)).base == git(scratch.path, "rev-parse", "HEAD")
