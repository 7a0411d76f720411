"""What differs between two commits, in numbers."""

from dataclasses import dataclass

from swarm_worker.git import Git

COMPARE = ("diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color", "--ignore-submodules=dirty")


@dataclass(frozen=True)
class Changes:
    files: list[str]
    additions: int
    deletions: int


async def read_changes(git: Git, base: str, commit: str) -> Changes:
    if base == commit:
        return Changes([], 0, 0)
    return parse_changes(await git.run(*COMPARE, "--numstat", "-z", "--end-of-options", base, commit, "--"))


def parse_changes(output: str) -> Changes:
    """From git's counts, NUL at the end of each."""
    files: list[str] = []
    additions = deletions = 0
    for counts in filter(None, output.split("\0")):
        added, deleted, path = counts.split("\t", 2)
        files.append(path)
        additions += int(added) if added != "-" else 0
        deletions += int(deleted) if deleted != "-" else 0
    return Changes(files, additions, deletions)


async def touched(git: Git, base: str) -> list[str]:
    """Paths that differ from the base in the worktree as it is now, committed or not."""
    tracked = await git.run(*COMPARE, "--name-only", "-z", "--end-of-options", base, "--")
    new = await git.run("ls-files", "--others", "--exclude-standard", "-z")
    return sorted({path for path in (tracked + new).split("\0") if path})
