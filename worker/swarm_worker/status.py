"""The state of a worktree: what git sees in it, and what was begun and not ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from swarm_worker.git import Git

LINK = "160000"
"""The mode of an entry that names a commit of another repository."""
ARGUMENTS = (
    "status",
    "--porcelain=v2",
    "--branch",
    "-z",
    "--no-renames",
    "--untracked-files=all",
    "--ignore-submodules=dirty",  # else git looks into each with git, and runs what is configured there
    "--ignored=matching",
)


@dataclass(frozen=True)
class Operation:
    """Something git does in several steps. `marker` in the git folder says that it is under way."""

    name: str
    marker: str
    quit: Sequence[str]


OPERATIONS = (
    Operation("rebase", "rebase-merge", ("rebase", "--quit")),
    Operation("rebase", "rebase-apply", ("rebase", "--quit")),
    Operation("merge", "MERGE_HEAD", ("merge", "--quit")),
    Operation("cherry-pick", "CHERRY_PICK_HEAD", ("cherry-pick", "--quit")),
    Operation("revert", "REVERT_HEAD", ("revert", "--quit")),
    Operation("bisect", "BISECT_START", ("bisect", "reset", "HEAD")),
)


@dataclass
class Status:
    """`branch` is None when HEAD is detached. Paths are relative to the worktree."""

    commit: str = ""
    branch: str | None = None
    changed: list[str] = field(default_factory=list)
    unmerged: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def nested(self) -> list[str]:
        """Repositories inside this one, which git does not look into."""
        return [path for path in self.untracked if path.endswith("/")]

    @property
    def dirty(self) -> bool:
        return bool(self.changed or self.unmerged or len(self.untracked) > len(self.nested))


def under_way(git_dir: Path) -> list[Operation]:
    return [operation for operation in OPERATIONS if (git_dir / operation.marker).exists()]


async def read_status(git: Git) -> Status:
    return parse_status(await git.run(*ARGUMENTS))


def parse_status(output: str) -> Status:
    """From git's porcelain v2 with NUL at the end of each entry."""
    status = Status()
    for kind, rest in _entries(output):
        match kind:
            case "#":
                _header(status, rest)
            case "1":
                status.changed.append(rest.split(" ", 7)[7])
            case "u":
                status.unmerged.append(rest.split(" ", 9)[9])
            case "?":
                status.untracked.append(rest)
            case "!":
                status.ignored.append(rest)
    return status


@dataclass(frozen=True)
class Index:
    """What the status does not tell: `links` to commits of other repositories, files `hidden` from git by an agent."""

    links: list[str]
    hidden: list[str]


async def read_index(git: Git) -> Index:
    index = Index([], [])
    for entry in (await git.run("ls-files", "--stage", "-v", "-z")).split("\0"):
        about, _, path = entry.partition("\t")
        tag, _, kind = about.partition(" ")
        if kind.startswith(LINK):
            index.links.append(path)
        elif tag == "S" or tag.islower():  # skip-worktree, assume-unchanged
            index.hidden.append(path)
    return index


def _entries(output: str) -> Iterator[tuple[str, str]]:
    for entry in output.split("\0"):
        if entry:
            kind, _, rest = entry.partition(" ")
            yield kind, rest


def _header(status: Status, text: str) -> None:
    name, _, value = text.partition(" ")
    if name == "branch.oid" and value != "(initial)":
        status.commit = value
    if name == "branch.head" and value != "(detached)":
        status.branch = value
