"""Whether a task may name a repository, and whether it is one."""

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from swarm_api.errors import Forbidden, InvalidInput
from swarm_api.tasks import TaskIn
from swarm_hub.git import GitFailed, git


async def check_repos(specs: Sequence[TaskIn], roots: Iterable[Path], prefix: str = "") -> None:
    """Each local repository and its ref once. Raises `InvalidInput` and `Forbidden`, naming the field."""
    seen: set[tuple[str, str | None]] = set()
    for i, spec in enumerate(specs):
        where = f"{prefix}{i}." if prefix else ""
        path = local_path(spec.repo)
        if path is None:
            if spec.repo is None and spec.base_ref is not None:
                raise InvalidInput.field(f"{where}baseRef", "a task without `repo` has nothing to start from")
            continue
        if (str(path), spec.base_ref) in seen:
            continue
        seen.add((str(path), spec.base_ref))
        await _check(path, spec, where, roots)


def local_path(repo: str | None) -> Path | None:
    """The folder a repository names on this machine, by path or by a file URL."""
    if repo is None:
        return None
    if repo.startswith("/"):
        return Path(repo)
    url = urlsplit(repo)
    return Path(unquote(url.path)) if url.scheme == "file" else None


async def _check(path: Path, spec: TaskIn, where: str, roots: Iterable[Path]) -> None:
    real = await asyncio.to_thread(os.path.realpath, path)
    _refuse_outside(path, real, where, roots)
    if not await asyncio.to_thread(os.path.isdir, real):
        raise InvalidInput.field(f"{where}repo", f"there is no folder {path}", code="repo_not_found")
    try:
        found = await git(Path(real), ["rev-parse", "--path-format=absolute", "--git-common-dir"])
    except GitFailed as error:
        message = f"{path} is no git repository: {error}"
        raise InvalidInput.field(f"{where}repo", message, code="repo_not_found") from error
    # A folder may lie inside a repository, or point at one, that begins elsewhere.
    _refuse_outside(path, await asyncio.to_thread(os.path.realpath, os.fsdecode(found).rstrip("\n")), where, roots)
    await _check_ref(Path(real), spec.base_ref, where)


def _refuse_outside(path: Path, real: str, where: str, roots: Iterable[Path]) -> None:
    """Raises `Forbidden` for a repository that is really somewhere else."""
    if any(Path(real).is_relative_to(root.resolve()) for root in roots):
        return
    allowed = ", ".join(str(root) for root in roots) or "none"
    raise Forbidden(
        f"{where}repo: {path} is outside the folders of SWARM_REPO_ROOTS ({allowed}), and not for you without the "
        "scope admin",
        code="repo_not_allowed",
    )


async def _check_ref(path: Path, ref: str | None, where: str) -> None:
    try:
        await git(path, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref or 'HEAD'}^{{commit}}"])
    except GitFailed as error:
        if ref is None:
            message = f"{path} has no commit yet, so there is nothing to start from"
            raise InvalidInput.field(f"{where}repo", message, code="ref_not_found") from error
        raise InvalidInput.field(f"{where}baseRef", f"{path} has no {ref!r}", code="ref_not_found") from error
