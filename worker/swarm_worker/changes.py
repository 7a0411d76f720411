"""What differs between two commits, in numbers."""

from dataclasses import dataclass
from pathlib import Path

from swarm_worker.git import Git

COMPARE = ("diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color", "--ignore-submodules=none")
LINK = "160000"
"""The mode of an entry that names a commit of another repository."""


@dataclass(frozen=True)
class Changes:
    """`links` are paths that hold a repository of their own; only its commit's id is in ours."""

    files: list[str]
    additions: int
    deletions: int
    links: list[str]


async def read_changes(git: Git, base: str, commit: str) -> Changes:
    if base == commit:
        return Changes([], 0, 0, [])
    return parse_changes(await git.run(*COMPARE, "--raw", "--numstat", "-z", "--end-of-options", base, commit, "--"))


def parse_changes(output: str) -> Changes:
    """From git's raw entries and counts, NUL at the end of each field."""
    files: list[str] = []
    links: list[str] = []
    additions = deletions = 0
    fields = iter(output.split("\0"))
    for field in fields:
        if field.startswith(":"):
            _, mode, *_ = field.split(" ")
            path = next(fields)
            if mode == LINK:
                links.append(path)
        elif field:
            added, deleted, path = field.split("\t", 2)
            files.append(path)
            additions += int(added) if added != "-" else 0
            deletions += int(deleted) if deleted != "-" else 0
    return Changes(files, additions, deletions, links)


async def touched(git: Git, base: str) -> list[str]:
    """Paths that differ from the base in the worktree as it is now, committed or not."""
    tracked = await git.run(*COMPARE, "--name-only", "-z", "--end-of-options", base, "--")
    new = await git.run("ls-files", "--others", "--exclude-standard", "-z")
    return sorted({path for path in (tracked + new).split("\0") if path})


def has_own_repository(folder: Path) -> bool:
    return (folder / ".git").exists()
