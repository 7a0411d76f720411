"""Keeping an agent's work, whatever state it leaves its worktree in."""

from pathlib import Path

import pytest

from swarm_worker.checkout import Checkout
from swarm_worker.keeping import Saved, save
from worker.ground import BRANCH, Ground, commit, git, local, show, write


@pytest.fixture
async def checkout(ground: Ground, repo: Path) -> Checkout:
    return await ground.open(local(repo))


def tip(repo: Path, branch: str = BRANCH) -> str:
    return git(repo, "rev-parse", branch)


def has_obstacle(saved: Saved, words: str) -> bool:
    return any(words in obstacle for obstacle in saved.obstacles)


async def test_what_is_not_committed_is_on_the_branch(checkout: Checkout, repo: Path) -> None:
    write(checkout.path, "README.md", "changed\n")
    write(checkout.path, "new/deep.txt")
    (checkout.path / "src/app.py").unlink()
    saved = await save(checkout, "Say hello")
    assert (saved.commit, saved.obstacles, saved.problem) == (tip(repo), [], None)
    assert git(repo, "ls-tree", "-r", "--name-only", BRANCH) == "README.md\nnew/deep.txt"
    assert git(repo, "log", "-1", "--format=%s|%an|%ae", BRANCH) == "Say hello|Ada|ada@example.org"


async def test_work_that_is_committed_already_gets_no_further_commit(checkout: Checkout, repo: Path) -> None:
    own = commit(checkout.path, "a.txt")
    assert (await save(checkout, "more")).commit == own == tip(repo)


async def test_nothing_done_is_the_base(checkout: Checkout) -> None:
    assert (await save(checkout, "nothing")).commit == checkout.base


async def test_a_message_that_looks_like_a_comment_is_kept(checkout: Checkout, repo: Path) -> None:
    write(checkout.path, "a.txt")
    await save(checkout, "# Heading")
    assert git(repo, "log", "-1", "--format=%s", BRANCH) == "# Heading"


async def test_hooks_of_the_repository_do_not_run(ground: Ground, repo: Path, tmp_path: Path) -> None:
    for hook in (
        "post-checkout",
        "pre-commit",
        "commit-msg",
        "post-commit",
        "reference-transaction",
        "post-index-change",
    ):
        write(repo / ".git/hooks", hook, f"#!/bin/sh\necho {hook} >> '{tmp_path}/ran'\n").chmod(0o755)
    checkout = await ground.open(local(repo))
    write(checkout.path, "a.txt")
    await save(checkout, "work")
    assert not (tmp_path / "ran").exists()


async def test_programs_of_the_repositorys_configuration_do_not_run(ground: Ground, repo: Path, tmp_path: Path) -> None:
    mark = f"sh -c 'echo >> {tmp_path}/ran; cat'"
    commit(repo, ".gitattributes", "* filter=evil diff=evil\n")
    for key in ("filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "diff.evil.command", "core.fsmonitor"):
        git(repo, "config", key, mark)
    git(repo, "config", "filter.evil.required", "true")
    git(repo, "config", "commit.gpgSign", "true")
    git(repo, "config", "gpg.program", f"{tmp_path}/no-such-program")
    checkout = await ground.open(local(repo))
    write(checkout.path, "a.txt", "text\n")
    await save(checkout, "work")
    assert show(repo, "a.txt") == "text"
    assert not (tmp_path / "ran").exists()
    assert checkout.repo.config.muted == ["evil"]


async def test_a_filter_that_the_agent_configures_does_not_run(checkout: Checkout, tmp_path: Path) -> None:
    git(checkout.path, "config", "filter.evil.clean", f"sh -c 'echo >> {tmp_path}/ran; cat'")
    write(checkout.path, ".gitattributes", "*.txt filter=evil\n")
    write(checkout.path, "a.txt")
    await save(checkout, "work")
    assert not (tmp_path / "ran").exists()


async def test_a_filter_of_the_users_own_does_run(ground: Ground, repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "nobody", ".gitconfig", '[filter "upper"]\n\tclean = tr a-z A-Z\n')
    commit(repo, ".gitattributes", "*.txt filter=upper\n")
    checkout = await ground.open(local(repo))
    write(checkout.path, "a.txt", "text\n")
    await save(checkout, "work")
    assert show(repo, "a.txt") == "TEXT"


async def test_commits_on_a_detached_head_are_moved_to_the_branch(checkout: Checkout, repo: Path) -> None:
    git(checkout.path, "checkout", "-q", "--detach")
    own = commit(checkout.path, "a.txt")
    saved = await save(checkout, "work")
    assert (saved.commit, tip(repo), saved.obstacles) == (own, own, [])
    assert "the agent ended on no branch" in saved.notes[0]


async def test_commits_on_a_branch_of_the_agents_own_are_on_ours_too(checkout: Checkout, repo: Path) -> None:
    git(checkout.path, "switch", "-q", "-c", "feature")
    commit(checkout.path, "a.txt")
    write(checkout.path, "b.txt")
    saved = await save(checkout, "work")
    assert saved.commit == tip(repo) == tip(repo, "feature")
    assert show(repo, "b.txt") == "new"


async def test_a_branch_that_the_agent_renamed_is_back(checkout: Checkout, repo: Path) -> None:
    git(checkout.path, "branch", "-m", "feature")
    own = commit(checkout.path, "a.txt")
    assert (await save(checkout, "work")).commit == own == tip(repo) == tip(repo, "feature")


async def test_a_branch_that_the_agent_deleted_is_back(checkout: Checkout, repo: Path) -> None:
    git(checkout.path, "checkout", "-q", "--detach")
    git(checkout.path, "branch", "-D", BRANCH)
    assert (await save(checkout, "work")).commit == checkout.base == tip(repo)


async def test_a_branch_that_was_left_behind_is_kept_under_another_name(checkout: Checkout, repo: Path) -> None:
    first = commit(checkout.path, "first.txt")
    git(checkout.path, "switch", "-q", "-c", "second-thought", checkout.base)
    second = commit(checkout.path, "second.txt")
    saved = await save(checkout, "work")
    assert (saved.commit, tip(repo), tip(repo, f"{BRANCH}-kept-1")) == (second, second, first)


async def test_an_agent_that_looks_at_an_old_commit_loses_nothing(checkout: Checkout, repo: Path) -> None:
    own = commit(checkout.path, "a.txt")
    git(checkout.path, "checkout", "-q", "--detach", "HEAD~1")
    saved = await save(checkout, "work")
    assert (saved.commit, tip(repo)) == (own, own)


async def test_an_orphan_branch_becomes_ours(checkout: Checkout, repo: Path) -> None:
    git(checkout.path, "checkout", "-q", "--orphan", "fresh")
    write(checkout.path, "a.txt")
    saved = await save(checkout, "work")
    assert saved.commit == tip(repo) == tip(repo, "fresh")
    assert show(repo, "a.txt") == "new"


async def test_conflicts_of_a_merge_are_committed_as_they_are_and_are_no_finished_work(
    checkout: Checkout, repo: Path
) -> None:
    git(repo, "checkout", "-q", "-b", "other")
    commit(repo, "README.md", "theirs\n")
    commit(checkout.path, "README.md", "ours\n")
    git(checkout.path, "merge", "other", ok=False)
    saved = await save(checkout, "work")
    assert saved.problem == "conflicts were left in README.md"
    assert "<<<<<<<" in show(repo, "README.md")
    assert git(repo, "log", "-1", "--format=%P", BRANCH).split()[1] == tip(repo, "other")


async def test_a_merge_that_only_lacks_its_commit_is_concluded(checkout: Checkout, repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "other")
    commit(repo, "theirs.txt")
    commit(checkout.path, "ours.txt")
    git(checkout.path, "merge", "--no-commit", "other")
    saved = await save(checkout, "work")
    assert saved.problem is None
    assert git(repo, "log", "-1", "--format=%P", BRANCH).split()[1] == tip(repo, "other")


async def test_a_rebase_that_was_left_half_done_loses_neither_side(checkout: Checkout, repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "other")
    commit(repo, "README.md", "theirs\n")
    before = commit(checkout.path, "README.md", "ours\n")
    git(checkout.path, "rebase", "other", ok=False)
    saved = await save(checkout, "work")
    assert saved.problem == "conflicts were left in README.md"
    assert (saved.commit, tip(repo)) == (before, before)
    assert "<<<<<<<" in show(repo, "README.md", f"{BRANCH}-kept-1")


async def test_a_repository_inside_the_worktree_is_left_alone(checkout: Checkout, repo: Path) -> None:
    inner = checkout.path / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    commit(inner, "secret.txt")
    write(checkout.path, "a.txt")
    saved = await save(checkout, "work")
    assert has_obstacle(saved, "inner/")
    assert git(repo, "ls-tree", "-r", "--name-only", BRANCH) == "README.md\na.txt\nsrc/app.py"
    assert git(inner, "status", "--porcelain") == ""


async def test_a_repository_without_a_commit_inside_the_worktree_does_not_hinder(
    checkout: Checkout, repo: Path
) -> None:
    inner = checkout.path / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    write(checkout.path, "a.txt")
    assert has_obstacle(await save(checkout, "work"), "inner/")
    assert show(repo, "a.txt") == "new"


async def test_ignored_files_keep_the_worktree(checkout: Checkout) -> None:
    write(checkout.path, ".gitignore", "*.csv\n")
    write(checkout.path, "data/result.csv")
    assert has_obstacle(await save(checkout, "work"), "data/result.csv")


@pytest.mark.parametrize("made", ["node_modules/a/index.js", "src/__pycache__/a.pyc", ".venv/bin/python", "x/a.pyc"])
async def test_what_tools_make_again_does_not(checkout: Checkout, made: str) -> None:
    write(checkout.path, ".gitignore", "node_modules/\n*.pyc\n.venv\n")
    write(checkout.path, made)
    assert (await save(checkout, "work")).obstacles == []


async def test_a_repository_that_the_agent_replaced_is_kept_and_the_files_are_on_the_branch(
    checkout: Checkout, repo: Path
) -> None:
    (checkout.path / ".git").unlink()
    git(checkout.path, "init", "-q")
    commit(checkout.path, "a.txt")
    saved = await save(checkout, "work")
    assert has_obstacle(saved, "replaced the repository")
    assert show(repo, "a.txt") == "new"


async def test_locks_of_a_git_that_was_killed_do_not_hinder(checkout: Checkout, repo: Path) -> None:
    write(checkout.path, "a.txt")
    for lock in (checkout.git_dir / "index.lock", checkout.git_dir / "HEAD.lock", repo / f".git/{checkout.ref}.lock"):
        lock.touch()
    await save(checkout, "work")
    assert show(repo, "a.txt") == "new"


async def test_a_user_who_has_the_branch_checked_out_keeps_his_ground(checkout: Checkout, repo: Path) -> None:
    git(checkout.path, "checkout", "-q", "--detach")
    git(repo, "checkout", "-q", BRANCH)
    own = commit(checkout.path, "a.txt")
    saved = await save(checkout, "work")
    assert (tip(repo), tip(repo, f"{BRANCH}-kept-1")) == (checkout.base, own)
    assert saved.problem == f"{BRANCH} is checked out in {repo}"


async def test_names_with_odd_characters_are_kept(checkout: Checkout, repo: Path) -> None:
    names = ["-x", "a b\tc", "quote'\"", "new\nline", ":(exclude)x", "*"]
    for name in names:
        write(checkout.path, name)
    await save(checkout, "work")
    listed = git(repo, "ls-tree", "-r", "-z", "--name-only", BRANCH).split("\0")
    assert set(names) < set(listed)
