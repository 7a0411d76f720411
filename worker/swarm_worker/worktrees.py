"""Worktrees: one for each task, used again by its next attempt, removed only when nothing in it can be lost."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from swarm_worker.checkout import Checkout, CheckoutFailed, Repository, checkout_of, registered
from swarm_worker.git import Git, GitFailed
from swarm_worker.keeping import keep, save
from swarm_worker.locks import Lock
from swarm_worker.sandbox_repository import StandIn
from swarm_worker.status import under_way

REASON = "an agent of claude-swarm works here"
ADD = ("add", "--quiet", "--no-checkout", "--lock", "--reason", REASON)
PARTIAL, WHOLE = "partial", "whole"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Site:
    """Where a task's worktree is, and the lock that its attempts share.

    In the lock's file stand the base commit and whether the worktree is whole. One that is not holds nobody's work:
    git was stopped while it made it, or while it removed what was on the branch already. In `box` is kept what its
    agent's sandbox needs, if it is to have one.
    """

    path: Path
    branch: str
    lock: Lock
    resume: bool
    say: Say
    box: Path
    sandboxed: bool

    @property
    def partial(self) -> bool:
        return self.lock.text.startswith(PARTIAL)

    @property
    def base(self) -> str | None:
        """Where the attempts before this one started."""
        return self.lock.text.rpartition(" ")[2] or None

    def mark_partial(self, base: str) -> None:
        self.lock.write(f"{PARTIAL} {base}")

    def mark_whole(self, base: str) -> None:
        self.lock.write(f"{WHOLE} {base}")

    def set_aside(self) -> None:
        """Make room without removing anything that somebody may have made."""
        if os.path.lexists(self.path):
            aside = next(path for n in range(1, 1000) if not os.path.lexists(path := Path(f"{self.path}-kept-{n}")))
            self.path.rename(aside)
            self.say(f"{self.path} was there already; what was in it is now in {aside}")


async def enter(repo: Repository, site: Site, base: str) -> Checkout:
    """The task's worktree, ready for an agent: on the branch of the attempts before, or anew from `base`.

    Raises `CheckoutFailed`.
    """
    try:
        git_dir = registered(repo.common, site.path)
        if git_dir and site.path.is_dir() and not site.path.is_symlink() and not site.partial:
            checkout = checkout_of(site.path, git_dir, repo, site.branch, base)
            await reclaim(checkout, site)
            return await _enter_again(await confined(checkout, site), site)
        await _reclaim_commits(checkout_of(site.path, repo.common, repo, site.branch, base), site)
        await _clear(repo, site, git_dir)
        site.mark_partial(base)
        checkout = await _add(repo, site, base)
    except GitFailed as failure:
        raise CheckoutFailed("checkout_failed", f"git cannot make the worktree {site.path}: {failure}") from failure
    site.mark_whole(checkout.base)
    return await confined(checkout, site)


async def confined(checkout: Checkout, site: Site) -> Checkout:
    """The checkout with a repository of its agent's own, if the agent is to have a sandbox."""
    if not site.sandboxed:
        return checkout
    stand_in = StandIn(site.box, checkout)
    await stand_in.make()
    return stand_in.checkout


async def reclaim(checkout: Checkout, site: Site) -> None:
    """Save what a killed worker left in the sandbox of an earlier attempt."""
    stand_in = StandIn(site.box, checkout)
    if stand_in.is_left():
        await _let_go(stand_in, save_earlier(stand_in.checkout, site), site)


async def _reclaim_commits(checkout: Checkout, site: Site) -> None:
    """The same when its worktree is gone."""
    stand_in = StandIn(site.box, checkout)
    if stand_in.is_left():
        await _let_go(stand_in, stand_in.bring_home(), site)


async def _let_go(stand_in: StandIn, saving: Awaitable[object], site: Site) -> None:
    """A repository that its agent broke holds up nobody: the files of the worktree are there all the same."""
    try:
        await saving
    except GitFailed as failure:
        kept = stand_in.set_aside()
        site.say(f"of an earlier attempt: its repository is broken and kept in {kept}: {failure}")
    else:
        stand_in.discard()


async def start_over(checkout: Checkout, site: Site) -> None:
    """Put the branch back to the base, in a worktree whose work has been saved."""
    await _keep_tip(checkout.outside, checkout, site)
    await checkout.git.run("checkout", "--quiet", "--force", "-B", checkout.branch, checkout.base, "--")
    if checkout.stand_in:
        await checkout.stand_in.bring_home()
        await checkout.stand_in.settle()
    site.mark_whole(checkout.base)


async def remove(checkout: Checkout, site: Site) -> None:
    """Remove a worktree with all that is in it. Raises `GitFailed` and `OSError`; then the rest of it stays."""
    site.mark_partial(checkout.base)
    await asyncio.to_thread(_delete, checkout.path)  # itself, so that no other worker has to wait for it
    await checkout.repo.worktree("remove", "--force", "--force", "--", str(checkout.path))


async def leave(checkout: Checkout) -> None:
    """Let the worktree stay, but give the branch free for others."""
    await checkout.outside.run("update-ref", "--no-deref", "-m", "kept by claude-swarm", "HEAD", "HEAD")
    await checkout.repo.worktree("unlock", "--", str(checkout.path))


async def save_earlier(checkout: Checkout, site: Site) -> None:
    """Save what an earlier attempt left, and end what it began."""
    saved = await save(checkout, "wip: what an earlier attempt left")
    for note in saved.notes + saved.obstacles + ([saved.problem] if saved.problem else []):
        site.say(f"of an earlier attempt: {note}")
    for operation in under_way(checkout.state):
        await checkout.git.run(*operation.quit)


async def _enter_again(checkout: Checkout, site: Site) -> Checkout:
    await save_earlier(checkout, site)
    if holder := checkout.held_elsewhere():
        raise _held(checkout.branch, holder)
    if site.resume:
        await checkout.git.run("checkout", "--quiet", checkout.branch, "--")
        if checkout.stand_in:
            await checkout.stand_in.settle()
    else:
        await start_over(checkout, site)
    await checkout.repo.worktree("lock", "--reason", REASON, "--", str(checkout.path), ok=(0, 128))
    return checkout


async def _clear(repo: Repository, site: Site, git_dir: Path | None) -> None:
    if site.path.is_symlink():
        site.set_aside()  # git would delete what it leads to
    if git_dir:
        # Either the folder is gone, or git was stopped while it was filling it.
        await repo.worktree("remove", "--force", "--force", "--", str(site.path))
    site.set_aside()


async def _add(repo: Repository, site: Site, base: str) -> Checkout:
    try:
        await repo.worktree(*ADD, "-b", site.branch, "--", str(site.path), base)
    except GitFailed as failure:
        if "already exists" not in failure.complaint:
            raise
        base = await _add_for_existing(repo, site, base)
    git_dir = registered(repo.common, site.path)
    if git_dir is None:
        raise CheckoutFailed("checkout_failed", f"{repo.common} does not know the worktree {site.path}")
    checkout = checkout_of(site.path, git_dir, repo, site.branch, base)
    await checkout.git.run("reset", "--quiet", "--hard")  # what git does itself without --no-checkout
    return checkout


async def _add_for_existing(repo: Repository, site: Site, base: str) -> str:
    """The base commit: of a branch that goes on, where it left the one that is given."""
    branch = Checkout(site.path, site.path, repo, site.branch, base, repo.git)
    if holder := branch.held_elsewhere():
        raise _held(site.branch, holder)
    if site.resume:
        await repo.worktree(*ADD, "--", str(site.path), site.branch)
        return (await repo.git.run("merge-base", base, branch.ref, ok=(0, 1))).strip() or base
    await _keep_tip(repo.git, branch, site)
    await repo.worktree(*ADD, "-B", site.branch, "--", str(site.path), base)
    return base


async def _keep_tip(git: Git, checkout: Checkout, site: Site) -> None:
    tip = (await git.run("rev-parse", "--verify", "--end-of-options", checkout.ref)).strip()
    if not await git.says("merge-base", "--is-ancestor", tip, checkout.base):
        site.say(f"starting over; what {checkout.branch} held is kept as {await keep(git, checkout.branch, tip)}")


def _delete(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except PermissionError:
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)  # Go's module cache, for one, protects itself
        shutil.rmtree(path)


def _held(branch: str, holder: Path) -> CheckoutFailed:
    return CheckoutFailed("worktree_busy", f"{branch} is checked out in {holder}; leave it there and try again")
