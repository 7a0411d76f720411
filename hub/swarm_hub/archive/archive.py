"""Moves old events out of the hub's database into files, so that years of them cost little.

First the file, then a mark in the database, then the file's name, and only then are events deleted: whenever it ends in
between, nothing is lost and nothing is there twice.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import delete, func, select

from swarm_hub.analytics.child import environment
from swarm_hub.archive.parts import FOLDER, STRANGE, Part, parts_in
from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Reads, Transaction

log = logging.getLogger(__name__)

EVERY = 6 * 3600.0  # seconds
DAY_MS = 86_400_000
LEAST, MOST = 20_000, 100_000  # events of a part: fewer are not worth a file
AT_ONCE = 2_000  # events deleted in one transaction: others write, too
_MARK = "archived"  # the last event that is in the archive
_events, _hub = schema.events.c, schema.hub.c


class PartFailed(Exception):
    """A part could not be written. Its text says why."""


class Archive:
    """`days`: how long events stay in the database at least; 0: for ever."""

    def __init__(self, store: Store, data_dir: Path, days: int) -> None:
        self._store = store
        self._database = data_dir / "hub.db"
        self._folder = data_dir / FOLDER
        self._days = days

    async def run(self) -> None:
        """For ever. What fails is tried again in some hours."""
        while True:
            try:
                await self.sweep()
            except (OSError, PartFailed) as error:
                log.warning("old events stay in the database for now: %s", error)
            await asyncio.sleep(EVERY)

    async def sweep(self) -> None:
        """Archive what is old, whole parts of it. Raises `OSError`, `PartFailed` and `StorageFailed`."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        await self._tidy()
        while self._days and (part := await self._next()):
            await self._write(part)
            await self._store.write(lambda tx, last=part.last: _mark(tx, last))  # type: ignore[misc]
            await self._tidy()

    async def _tidy(self) -> None:
        """Finish what an earlier run began, as far as the mark says that it was good."""
        archived = await self._store.read(_archived)
        held = await asyncio.to_thread(_settle, self._folder, archived)
        while held and await self._store.write(lambda tx: _delete_some(tx, held)):
            pass

    async def _next(self) -> Part | None:
        before = self._store.now_ms() - self._days * DAY_MS
        return await self._store.read(lambda reads: _oldest(reads, before))

    async def _write(self, part: Part) -> None:
        path = self._folder / part._replace(finished=False).name
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "swarm_hub.archive.program", str(self._database), str(path),
            str(part.first), str(part.last), env=environment(os.environ),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise PartFailed(said.decode(errors="replace").strip() or f"it ended with {process.returncode}")


def _archived(reads: Reads) -> int:
    return int(reads.execute(select(_hub.value).where(_hub.key == _MARK)).scalar() or 0)


def _oldest(reads: Reads, before_ms: int) -> Part | None:
    """The next part, if enough of the journal is old. The newest event stays: the next one is numbered after it."""
    ends = reads.execute(select(func.min(_events.seq).label("first"), func.max(_events.seq).label("newest"))).one()
    if ends.first is None:
        return None
    young = select(_events.seq).where(_events.at_ms >= before_ms).order_by(_events.seq).limit(1)
    last = min((reads.execute(young).scalar() or ends.newest) - 1, ends.first + MOST - 1)
    return Part(ends.first, last) if last - ends.first + 1 >= LEAST else None


def _mark(tx: Transaction, last: int) -> None:
    tx.execute(delete(schema.hub).where(_hub.key == _MARK))
    tx.add(schema.hub, {"key": _MARK, "value": str(last)})


def _delete_some(tx: Transaction, held: int) -> int:
    some: Sequence[int] = (
        tx.execute(select(_events.seq).where(_events.seq <= held).order_by(_events.seq).limit(AT_ONCE)).scalars().all()
    )
    if some:
        tx.execute(delete(schema.events).where(_events.seq.between(some[0], some[-1])))
    return len(some)


def _settle(folder: Path, archived: int) -> int:
    """Name what the mark counts in, and put aside what it does not: the database may be an older one's copy.

    The last event that the archive holds for certain.
    """
    held = 0
    for part in sorted(parts_in(folder)):
        path = folder / part.name
        if part.last > archived and part.finished:
            log.warning("%s holds events that this journal has not archived: it is put aside", path)
            path.rename(path.with_name(path.name + STRANGE))
        elif part.last > archived:
            path.unlink()
        else:
            path.rename(folder / part._replace(finished=True).name)
            held = part.last
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return held
