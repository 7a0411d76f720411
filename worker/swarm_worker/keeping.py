"""Keeping an agent's work: whatever is in its worktree goes to the branch, and what cannot is said and left alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from swarm_worker.checkout import Checkout
from swarm_worker.git import Git, GitFailed
from swarm_worker.status import Operation, Status, read_index, read_status, under_way

CACHES = frozenset({
    "__pycache__", "node_modules", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".venv", "venv",
    ".hypothesis", ".DS_Store",
})  # fmt: skip
"""Ignored names whose content their tools make again."""
NOTHING = "0" * 40
SHOWN = 5


@dataclass
class Saved:
    """What became of the work.

    `commit` is the branch's. `notes` say what was unusual, `obstacles` why the worktree must stay, `problem` why this
    is no finished work, whatever the agent says.
    """

    commit: str = ""
    notes: list[str] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    problem: str | None = None


async def save(checkout: Checkout, message: str) -> Saved:
    """Commit what is not committed and make the branch hold it. Nobody else may work in the worktree meanwhile.

    Raises `GitFailed` when git cannot; then all is as the agent left it.
    """
    _refuse_replaced(checkout)
    await _remove_locks(checkout)
    git, _ = await checkout.git.secured()
    saved = Saved()
    status, index = await read_status(git), await read_index(git)
    inside = [path for path in index.links if (checkout.path / path / ".git").exists()]
    operations = under_way(checkout.state)
    head = await _commit(git, status, inside, message, operations, saved) or checkout.base
    at = status.branch if status.commit or status.dirty else None  # a branch without a commit is none
    await _settle_branch(checkout, git, at, head, operations, saved)
    _judge(checkout, status, operations, saved)
    if inside:
        saved.obstacles.append(f"of repositories inside it the branch holds only a commit's id: {some(inside)}")
    if hidden := [path for path in index.hidden if (checkout.path / path).exists()]:
        saved.obstacles.append(f"git was told not to look at {some(hidden)}")
    if checkout.stand_in:
        saved.notes += await checkout.stand_in.bring_home()
        await checkout.stand_in.settle()
    return saved


def _refuse_replaced(checkout: Checkout) -> None:
    """Nothing that lies elsewhere is anybody's work. Raises `GitFailed`."""
    for folder in (checkout.path, checkout.git_dir):
        if folder.is_symlink():
            raise GitFailed("add", 128, f"{folder} was replaced by a link to {folder.resolve()}")


async def _remove_locks(checkout: Checkout) -> None:
    """A git that was killed leaves these. Whoever could hold them has been ended before."""
    locks = [
        checkout.git_dir / "index.lock",
        checkout.git_dir / "HEAD.lock",
        checkout.common / f"{checkout.ref}.lock",
    ]
    for lock in locks:
        lock.unlink(missing_ok=True)
    if checkout.stand_in:
        await checkout.stand_in.remove(locks)


async def _commit(
    git: Git, status: Status, inside: Sequence[str], message: str, operations: Sequence[Operation], saved: Saved
) -> str:
    """Where HEAD is when all that git takes is committed, and a merge concluded; empty before the first commit."""
    if not status.dirty and not any(operation.name == "merge" for operation in operations):
        return status.commit
    await _add(git, [*status.nested, *inside], saved)
    await _add_links(git, inside, saved)
    # A commit that changes nothing is refused with exit code 1.
    arguments = ("commit", "--quiet", "--no-verify", "--cleanup=whitespace", "-m", message)
    if not await git.says(*arguments):
        saved.obstacles.append(f"git does not commit {some(status.changed + status.untracked)}")
    return (await git.run("rev-parse", "HEAD")).strip()


async def _add(git: Git, inside: Sequence[str], saved: Saved) -> None:
    """All but what is `inside`: repositories of their own, which git would look into and act on their configuration."""
    paths = [".", *(f":(exclude,literal){path.rstrip('/')}" for path in inside)]
    try:
        await git.run("add", "--all", "--", *paths)
    except GitFailed:
        try:
            await git.run("add", "--all", "--ignore-errors", "--", *paths)
        except GitFailed as failure:
            saved.obstacles.append(f"git did not take everything: {failure}")


async def _add_links(git: Git, inside: Sequence[str], saved: Saved) -> None:
    if not inside:
        return
    try:
        await git.run("update-index", "--", *inside)
    except GitFailed as failure:
        saved.obstacles.append(f"git did not take everything: {failure}")


async def _settle_branch(
    checkout: Checkout, git: Git, at: str | None, head: str, operations: Sequence[Operation], saved: Saved
) -> None:
    """Make the branch hold the work, wherever the agent's HEAD has gone."""
    if at == checkout.branch:
        saved.commit = head
        return
    where = f"the branch {at}" if at else "no branch"
    tip = await _tip(git, checkout.ref)
    if tip and await _is_ancestor(git, head, tip):
        saved.commit = tip
        saved.notes.append(f"the agent ended on {where}; {checkout.branch} holds that and more")
        return
    advanced = not tip or tip == checkout.base or await _is_ancestor(git, tip, head)
    stuck = next((operation.name for operation in operations if operation.name in ("rebase", "bisect")), None)
    holder = checkout.held_elsewhere()
    if tip and (holder or (stuck and not advanced)):
        kept = await keep(git, checkout.branch, head)
        saved.commit = tip
        saved.notes.append(f"the agent ended on {where}; that is kept as {kept}")
        saved.problem = f"{checkout.branch} is checked out in {holder}" if holder else None
        return
    if tip and not advanced:
        kept = await keep(git, checkout.branch, tip)
        saved.notes.append(f"{checkout.branch} was somewhere else; that is kept as {kept}")
    await git.run("update-ref", "-m", "work of the agent", checkout.ref, head, tip or NOTHING)
    saved.commit = head
    saved.notes.append(f"the agent ended on {where}; {checkout.branch} was moved there")


async def keep(git: Git, branch: str, commit: str) -> str:
    """The name of a new branch that holds a commit which nothing else may hold."""
    for n in range(1, 1000):
        name = f"{branch}-kept-{n}"
        try:
            await git.run("update-ref", f"refs/heads/{name}", commit, NOTHING)
            return name
        except GitFailed:
            if not await _tip(git, f"refs/heads/{name}"):
                raise
    raise GitFailed("update-ref", 128, f"{branch} has a thousand kept branches")


async def _tip(git: Git, ref: str) -> str | None:
    found = await git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", ok=(0, 1))
    return found.strip() or None


async def _is_ancestor(git: Git, old: str, new: str) -> bool:
    return await git.says("merge-base", "--is-ancestor", old, new)


def _judge(checkout: Checkout, status: Status, operations: Sequence[Operation], saved: Saved) -> None:
    if status.unmerged:
        saved.problem = f"conflicts were left in {some(status.unmerged)}"
    for operation in operations:
        if operation.name in ("rebase", "cherry-pick", "revert"):
            saved.problem = saved.problem or f"a {operation.name} was left half done"
    if not checkout.intact():
        saved.obstacles.append("the agent replaced the repository in it")
    if status.nested:
        saved.obstacles.append(f"repositories inside it are not part of the branch: {some(status.nested)}")
    if (checkout.state / "modules").exists() and checkout.linked:
        saved.obstacles.append("submodules were set up in it")
    if ignored := [path for path in status.ignored if not _made_again(path)]:
        saved.obstacles.append(f"ignored files are not part of the branch: {some(ignored)}")


def _made_again(path: str) -> bool:
    return path.endswith(".pyc") or not CACHES.isdisjoint(PurePosixPath(path).parts)


def some(paths: Sequence[str]) -> str:
    """The first few of many names."""
    more = f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more
