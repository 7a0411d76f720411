"""The bare repositories that agents elsewhere fetch from and push to, brought up to date before they begin."""

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from pydantic_core import from_json

from swarm_api.ids import short
from swarm_api.worker import Source
from swarm_hub.git import GitFailed, git
from swarm_hub.mirrors.abroad import Abroad
from swarm_hub.orders import branch, kept_at, repository, source

FETCHED = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
HEAD = "+HEAD:refs/remotes/origin/HEAD"
MISSING = ("not found", "does not exist", "does not appear to be a git repository", "no such file")
AT_ONCE = 8  # requests of git that are answered side by side: each is a process that may take a processor
NOBODY = ("-c", "user.name=Claude Swarm", "-c", "user.email=claude-swarm@localhost")


class NotReady(Exception):
    """There is nothing that an agent could start from. `code` is the result's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Ready(NamedTuple):
    path: Path
    base: str


class Mirrors:
    """One at a time for each repository, whoever asks: many agents of one task's repository come at once."""

    def __init__(self, data_dir: Path, abroad: Abroad) -> None:
        self._data_dir = data_dir
        self._abroad = abroad
        self._locks: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()
        self.room = asyncio.Semaphore(AT_ONCE)

    async def prepare(self, task: Any, *, again: bool) -> Ready:
        """The repository that a task's agent works from, and the commit it starts at.

        `again`: it goes on with what an earlier attempt left, from the same commit. Raises `NotReady`.
        """
        where = source(from_json(task.spec))
        path = self.path(task)
        async with self._alone(path):
            try:
                base = await self._known_base(path, task) if again else None
                if base is None:
                    base = await self._begin(path, where, task)
            except GitFailed as failure:
                raise _not_ready(where, failure) from failure
        return Ready(path, base)

    def path(self, task: Any) -> Path:
        """Where a task's repository is served from. One that lies on this machine is mirrored like any other."""
        where = source(from_json(task.spec))
        return kept_at(self._data_dir, where.location) if where.kind == "local" else repository(task, self._data_dir)

    async def bring_home(self, task: Any, commit: str) -> None:
        """Put the branch of an agent elsewhere into the repository of this machine that it is for."""
        where = source(from_json(task.spec))
        if where.kind == "local":
            refspec = f"+{commit}:refs/heads/{branch(task)}"
            await self._abroad.fetch(Path(where.location), str(self.path(task)), refspec)

    async def push_on(self, task: Any, commit: str) -> None:
        """Push the branch to where the repository came from. Raises `GitFailed`."""
        where = source(from_json(task.spec))
        await self._abroad.push(self.path(task), where.location, f"+{commit}:refs/heads/{branch(task)}")

    async def _begin(self, path: Path, where: Source, task: Any) -> str:
        base: str | None
        if where.kind == "scratch":
            base = await _scratch(path)
        elif where.kind == "upload":
            base = await _resolve(path, where.base_ref or "HEAD")
        else:
            base = await self._fetched(path, where)
        if base is None:
            raise _no_ref(where)
        await git(path, ["update-ref", base_ref(task.id), base])
        return base

    async def _known_base(self, path: Path, task: Any) -> str | None:
        return await _resolve(path, base_ref(task.id)) if await asyncio.to_thread(path.is_dir) else None

    async def _fetched(self, path: Path, where: Source) -> str | None:
        if await asyncio.to_thread(path.is_dir):
            await self._fetch(path, where.location)
            return await _resolve_fetched(path, where.base_ref)
        new = path.with_suffix(".new")  # only a complete one gets the name by which it is looked for
        await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)
        await _make(new)
        await self._fetch(new, where.location)
        new.rename(path)
        return await _resolve_fetched(path, where.base_ref)

    async def _fetch(self, path: Path, location: str) -> None:
        try:
            await self._abroad.fetch(path, location, *FETCHED, HEAD)
        except GitFailed as failure:
            if "couldn't find remote ref HEAD" not in str(failure):
                raise
            await self._abroad.fetch(path, location, *FETCHED)

    @asynccontextmanager
    async def _alone(self, path: Path) -> AsyncIterator[None]:
        """Among the hub's own calls, and the workers of this machine that use the same clone."""
        async with self._locks.setdefault(path, asyncio.Lock()):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                await asyncio.to_thread(fcntl.flock, fd, fcntl.LOCK_EX)
                yield
            finally:
                os.close(fd)


def base_ref(task_id: str) -> str:
    """Where a task's attempts start; it keeps the commit from being forgotten."""
    return f"refs/swarm/base/{short(task_id)}"


async def make_upload(path: Path) -> None:
    """A repository that somebody may push to, if it is not there yet."""
    if not await asyncio.to_thread(path.is_dir):
        await _make(path)


async def _make(path: Path) -> None:
    await asyncio.to_thread(path.mkdir, mode=0o700, parents=True, exist_ok=True)
    await git(path, ["init", "--quiet", "--bare", "--initial-branch=main", "."])


async def _scratch(path: Path) -> str:
    """An empty repository of the task's own, with one commit to start from."""
    base = await _resolve(path, "HEAD") if await asyncio.to_thread(path.is_dir) else None
    if base is None:  # or a hub was killed while it made one
        await _make(path)
        tree = (await git(path, ["hash-object", "-t", "tree", "-w", "--stdin"])).decode().strip()
        commit = (await git(path, [*NOBODY, "commit-tree", tree, "-m", "Start"])).decode().strip()
        await git(path, ["update-ref", "refs/heads/main", commit])
        return commit
    return base


async def _resolve(path: Path, ref: str) -> str | None:
    try:
        found = await git(path, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"])
    except GitFailed:
        return None
    return found.decode().strip() or None


async def _resolve_fetched(path: Path, ref: str | None) -> str | None:
    names = [f"refs/remotes/origin/{ref}", f"refs/tags/{ref}", ref] if ref else ["refs/remotes/origin/HEAD"]
    for name in names:
        if commit := await _resolve(path, name):
            return commit
    return None


def _no_ref(where: Source) -> NotReady:
    if where.base_ref is None:
        return NotReady("ref_not_found", f"{where.location} has no commit yet, so there is nothing to start from")
    return NotReady("ref_not_found", f"{where.location} has no {where.base_ref!r}")


def _not_ready(where: Source, failure: GitFailed) -> NotReady:
    code = "repo_not_found" if any(words in str(failure).lower() for words in MISSING) else "clone_failed"
    return NotReady(code, f"cannot fetch {where.location}: {failure}")
