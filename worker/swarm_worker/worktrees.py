"""Worktrees: one for each task, used again by its next attempt, removed only when nothing in it can be lost."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swarm_worker.checkout import Checkout, CheckoutFailed, Repository, checkout_of, registered
from swarm_worker.git import Git, GitFailed
from swarm_worker.keeping import keep, save
from swarm_worker.locks import Lock
from swarm_worker.status import under_way

REASON = "an agent of claude-swarm works here"
MAKING = "making"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Site:
    """Where a task's worktree is, and the lock that its attempts share.

    In the lock's file stands the base commit, or `MAKING` as long as no agent can have been in the worktree.
    """

    path: Path
    branch: str
    lock: Lock
    resume: bool
    say: Say

    @property
    def unfinished(self) -> bool:
        return self.lock.text == MAKING

    @property
    def base(self) -> str | None:
        """Where an earlier attempt started, if this one is to go on from it."""
        return self.lock.text if self.resume and self.lock.text and not self.unfinished else None

    def set_aside(self) -> None:
        """Make room without removing anything that somebody may have made."""
        if self.path.exists():
            aside = next(path for n in range(1, 1000) if not (path := Path(f"{self.path}-kept-{n}")).exists())
            self.path.rename(aside)
            self.say(f"{self.path} was there already; what was in it is now in {aside}")


async def enter(repo: Repository, site: Site, base: str) -> Checkout:
    """The task's worktree, ready for an agent: on the branch of the attempts before, or anew from `base`.

    Raises `CheckoutFailed`.
    """
    try:
        git_dir = registered(repo.common, site.path)
        if git_dir and site.path.is_dir() and not site.unfinished:
            return await _enter_again(checkout_of(site.path, git_dir, repo, site.branch, base), site)
        await _clear(repo, site, git_dir)
        site.lock.write(MAKING)
        checkout = await _add(repo, site, base)
    except GitFailed as failure:
        raise CheckoutFailed("checkout_failed", f"git cannot make the worktree {site.path}: {failure}") from failure
    site.lock.write(checkout.base)
    return checkout


async def start_over(checkout: Checkout, site: Site) -> None:
    """Put the branch back to the base, in a worktree whose work has been saved."""
    await _keep_tip(checkout.git, checkout, site)
    await checkout.git.run("checkout", "--quiet", "--force", "-B", checkout.branch, checkout.base, "--")
    site.lock.write(checkout.base)


async def remove(checkout: Checkout) -> None:
    """Raises `GitFailed`, and the rest of the worktree stays."""
    await _in_repository(checkout).run("worktree", "remove", "--force", "--force", "--", str(checkout.path))


async def leave(checkout: Checkout) -> None:
    """Let the worktree stay, but give the branch free for others."""
    await checkout.git.run("update-ref", "--no-deref", "-m", "kept by claude-swarm", "HEAD", "HEAD")
    await _in_repository(checkout).run("worktree", "unlock", "--", str(checkout.path))


async def save_earlier(checkout: Checkout, site: Site) -> None:
    """Save what an earlier attempt left, and end what it began."""
    saved = await save(checkout, "wip: what an earlier attempt left")
    for note in saved.notes + saved.obstacles + ([saved.problem] if saved.problem else []):
        site.say(f"of an earlier attempt: {note}")
    for operation in under_way(checkout.git_dir):
        await checkout.git.run(*operation.quit)


async def _enter_again(checkout: Checkout, site: Site) -> Checkout:
    await save_earlier(checkout, site)
    if holder := checkout.held_elsewhere():
        raise _held(checkout.branch, holder)
    if site.resume:
        await checkout.git.run("checkout", "--quiet", checkout.branch, "--")
    else:
        await start_over(checkout, site)
    await _in_repository(checkout).run("worktree", "lock", "--reason", REASON, "--", str(checkout.path), ok=(0, 128))
    return checkout


async def _clear(repo: Repository, site: Site, git_dir: Path | None) -> None:
    if git_dir:
        # Either the folder is gone, or git was stopped while it was filling it.
        await repo.git.run("worktree", "remove", "--force", "--force", "--", str(site.path))
    site.set_aside()


async def _add(repo: Repository, site: Site, base: str) -> Checkout:
    add = ("worktree", "add", "--quiet", "--lock", "--reason", REASON)
    try:
        await repo.git.run(*add, "-b", site.branch, "--", str(site.path), base)
    except GitFailed as failure:
        if "already exists" not in failure.complaint:
            raise
        base = await _add_for_existing(repo, site, base, add)
    git_dir = registered(repo.common, site.path)
    if git_dir is None:
        raise CheckoutFailed("checkout_failed", f"{repo.common} does not know the worktree {site.path}")
    return checkout_of(site.path, git_dir, repo, site.branch, base)


async def _add_for_existing(repo: Repository, site: Site, base: str, add: tuple[str, ...]) -> str:
    """The base commit: of a branch whose beginning nobody remembers, where it left the base."""
    branch = Checkout(site.path, site.path, repo.common, site.branch, base, repo.git)
    if holder := branch.held_elsewhere():
        raise _held(site.branch, holder)
    if site.resume:
        await repo.git.run(*add, "--", str(site.path), site.branch)
        return site.base or (await repo.git.run("merge-base", base, branch.ref)).strip()
    await _keep_tip(repo.git, branch, site)
    await repo.git.run(*add, "-B", site.branch, "--", str(site.path), base)
    return base


async def _keep_tip(git: Git, checkout: Checkout, site: Site) -> None:
    tip = (await git.run("rev-parse", "--verify", "--end-of-options", checkout.ref)).strip()
    if not await git.says("merge-base", "--is-ancestor", tip, checkout.base):
        site.say(f"starting over; what {checkout.branch} held is kept as {await keep(git, checkout.branch, tip)}")


def _in_repository(checkout: Checkout) -> Git:
    """A worktree is not removed from within."""
    return Git(checkout.common, checkout.git.env, (f"--git-dir={checkout.common}",))


def _held(branch: str, holder: Path) -> CheckoutFailed:
    return CheckoutFailed("worktree_busy", f"{branch} is checked out in {holder}; leave it there and try again")
