"""What a task changed: git's own diff between two commits, or the patch its worker delivered."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from swarm_api.errors import Gone, TooLarge
from swarm_api.tasks import FileDiff
from swarm_hub.git import GitFailed, TooMuch, git
from swarm_hub.orders import branch, repository

UNIFIED = "text/x-diff"
DIFF = (
    "diff", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--full-index", "--binary", "--src-prefix=a/",
    "--dst-prefix=b/", "--submodule=short", "--no-relative", "-O/dev/null",
)  # fmt: skip
_HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


async def unified_diff(task: Any, patch: bytes | None, data_dir: Path) -> tuple[str | None, str | None, bytes]:
    """Base commit, commit and diff of a task; of one that still runs, what its branch holds so far.

    Raises `Gone` when the repository no longer holds what the task did, and `TooLarge`.
    """
    result = from_json(task.result) if task.result else {}
    base, commit = result.get("baseCommit"), result.get("commit")
    if patch is not None:
        return base, commit, patch
    repo = repository(task, data_dir)
    try:
        if commit is None:
            commit = await _commit(repo, f"refs/heads/{branch(task)}")
            base = await _fork(repo, from_json(task.spec)["baseRef"], commit)
        if base is None or commit is None:
            return base, commit, b""
        return base, commit, await git(repo, [*DIFF, "--end-of-options", base, commit, "--"])
    except TooMuch as error:
        raise TooLarge(
            f"the diff is too large for here: {error}; git diff {base} {commit}", code="diff_too_large"
        ) from error
    except GitFailed as error:
        if "commit" in result and result["commit"] is not None:
            raise Gone(f"the repository no longer has {commit}: {error}", code="diff_gone") from error
        return base, commit, b""  # not begun yet


async def _commit(repo: Path, ref: str) -> str:
    out = await git(repo, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"])
    return out.decode().strip()


async def _fork(repo: Path, base_ref: str | None, commit: str) -> str:
    base = await _commit(repo, base_ref or "HEAD")
    return (await git(repo, ["merge-base", "--end-of-options", base, commit])).decode().strip()


def parse_diff(text: str) -> list[FileDiff]:
    """The files of a diff in git's format."""
    return [_file(section) for section in _sections(text)]


def _sections(text: str) -> Iterator[list[str]]:
    section: list[str] = []
    left = 0  # lines of the hunk still to come: content may look like a header
    for line in text.split("\n"):
        if left <= 0 and line.startswith("diff --git "):
            if section:
                yield section
            section = []
        if hunk := _HUNK.match(line) if left <= 0 else None:
            left = int(hunk[1] or 1) + int(hunk[2] or 1)
        elif left > 0 and line[:1] in (" ", "+", "-", ""):
            left -= 1 if line[:1] in ("+", "-") else 2
        section.append(line)
    if section and section[0].startswith("diff --git "):
        yield section


def _file(section: list[str]) -> FileDiff:
    headers = _headers(section)
    old, new = _paths(section[0], headers)
    additions, deletions = _count(section)
    status = "modified"
    for header, name in _STATUS.items():
        if header in headers:
            status = name
    moved = status in ("renamed", "copied")
    return FileDiff(
        path=old if status == "deleted" else new,
        old_path=old if moved else None,
        status=status,  # type: ignore[arg-type]  # one of the words above
        additions=additions,
        deletions=deletions,
        binary="GIT binary patch" in headers or "Binary files" in headers,
        patch="\n".join(section).rstrip("\n") + "\n",
    )


_STATUS = {
    "new file mode": "added", "deleted file mode": "deleted", "rename from": "renamed", "copy from": "copied",
}  # fmt: skip
_HEADERS = (*_STATUS, "rename to", "copy to", "GIT binary patch", "Binary files", "---", "+++")


def _headers(section: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in section[1:]:
        if line.startswith("@@ "):
            break
        for name in _HEADERS:
            if line.startswith(name):
                found.setdefault(name, line[len(name) :].strip("\t "))
    return found


def _paths(first: str, headers: dict[str, str]) -> tuple[str, str]:
    for old, new in (("rename from", "rename to"), ("copy from", "copy to")):
        if old in headers:
            return _unquote(headers[old]), _unquote(headers[new])
    both = first.removeprefix("diff --git ")
    plain = both[2 : len(both) // 2] if not both.startswith('"') else _unquote(both[: len(both) // 2])[2:]
    return plain, plain  # `a/x b/x`: the same name twice, with one space between


def _unquote(path: str) -> str:
    """git quotes names with control characters or quotes as C does, in bytes."""
    if not path.startswith('"'):
        return path
    raw = path[1:-1].encode().decode("unicode_escape", "replace").encode("latin-1", "replace")
    return raw.decode("utf-8", "replace")


def _count(section: list[str]) -> tuple[int, int]:
    additions = deletions = left = 0
    for line in section:
        if left <= 0:
            if hunk := _HUNK.match(line):
                left = int(hunk[1] or 1) + int(hunk[2] or 1)
            continue
        sign = line[:1]
        if sign == "\\":
            continue  # "\ No newline at end of file"
        additions += sign == "+"
        deletions += sign == "-"
        left -= 1 if sign in ("+", "-") else 2
    return additions, deletions
