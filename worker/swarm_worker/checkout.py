"""What an agent works in: a worktree, its branch, and where it started."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swarm_worker.git import Git
from swarm_worker.gitconfig import Config
from swarm_worker.locks import Lock

if TYPE_CHECKING:
    from swarm_worker.sandbox_repository import StandIn


class CheckoutFailed(Exception):
    """There is nothing to work in. `code` is the result's error code, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Repository:
    """`common` is the folder that all its worktrees share, with the branches and the objects."""

    git: Git
    common: Path
    config: Config

    @property
    def inside(self) -> Git:
        """Calls from within the repository's own folder: a worktree is not removed from within itself."""
        return Git(self.common, self.git.env, (f"--git-dir={self.common}",))

    async def worktree(self, *arguments: str, ok: Sequence[int] = (0,)) -> None:
        """`git worktree …`, one at a time among the workers: while one is made, no other can be."""
        lock = await Lock.take(self.common / "claude-swarm.lock")
        try:
            await self.inside.run("worktree", *arguments, ok=ok)
        finally:
            lock.close()


@dataclass(frozen=True)
class Checkout:
    """A branch in its worktree. A scratch repository is its own worktree, any other is linked to its repository.

    `git` names repository and worktree in each call: what an agent does to the `.git` in its folder leads nowhere.
    `stand_in`: the repository that its agent has in its sandbox, where `git` runs too.
    """

    path: Path
    git_dir: Path
    repo: Repository
    branch: str
    base: str
    git: Git
    stand_in: "StandIn | None" = None

    @property
    def state(self) -> Path:
        """Where git notes what it is in the middle of. To be looked at, not to be written."""
        return self.stand_in.git_dir if self.stand_in else self.git_dir

    @property
    def outside(self) -> Git:
        """The same calls, but never in a sandbox; there they look at no file of the worktree."""
        return self.stand_in.outside if self.stand_in else self.git

    @property
    def common(self) -> Path:
        return self.repo.common

    @property
    def linked(self) -> bool:
        return self.git_dir != self.common

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"

    def intact(self) -> bool:
        """Whether the worktree still leads to its repository."""
        dot_git = self.path / ".git"
        if not self.linked:
            return dot_git.is_dir()
        return dot_git.is_file() and dot_git.read_text(errors="replace").strip() == f"gitdir: {self.git_dir}"

    def held_elsewhere(self) -> Path | None:
        """Another worktree that has the branch checked out: moving the branch would move that one's ground."""
        for git_dir in (self.common, *sorted((self.common / "worktrees").glob("*"))):
            if git_dir != self.git_dir and _head(git_dir) == f"ref: {self.ref}":
                return _worktree(git_dir)
        return None


def checkout_of(path: Path, git_dir: Path, repo: Repository, branch: str, base: str) -> Checkout:
    where = (f"--git-dir={git_dir}", f"--work-tree={path}")
    return Checkout(path, git_dir, repo, branch, base, Git(path, repo.git.env, where))


def registered(common: Path, path: Path) -> Path | None:
    """The folder that a repository keeps about the worktree at `path`, if it has one."""
    for pointer in (common / "worktrees").glob("*/gitdir"):
        if pointer.read_text(errors="replace").strip() == str(path / ".git"):
            return pointer.parent
    return None


def _head(git_dir: Path) -> str:
    try:
        return (git_dir / "HEAD").read_text(errors="replace").strip()
    except OSError:
        return ""  # removed meanwhile


def _worktree(git_dir: Path) -> Path:
    try:
        return Path((git_dir / "gitdir").read_text(errors="replace").strip()).parent
    except OSError:
        return git_dir.parent if git_dir.name == ".git" else git_dir
