"""The hub's database driven by hand: the same transactions as the writer's, without its thread and its disk."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, func, select

from swarm_hub.store import schema
from swarm_hub.store.database import open_engine
from swarm_hub.store.entries import Entry
from swarm_hub.store.transaction import Transaction

T = TypeVar("T")


class Clock:
    """Milliseconds since the epoch, which pass when a test says so."""

    def __init__(self) -> None:
        self.now_ms = 1_770_000_000_000

    def __call__(self) -> int:
        return self.now_ms


def template(folder: Path) -> Path:
    """An empty database, migrated once so that every example can begin with a copy of it."""
    path = folder / "empty.db"
    open_engine(path).dispose()
    return path


class Ledger:
    """Runs pieces of work as the writer does: several share a commit, each is all or nothing by itself."""

    def __init__(self, empty: Path, clock: Clock) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=empty.parent)
        self.path = Path(self._folder.name) / "hub.db"
        shutil.copyfile(empty, self.path)
        self._clock = clock
        self._group: Transaction | None = None
        self.works = 0
        self.commits = 0
        self.published: list[Entry] = []
        self.last_seq = 0
        self._open()

    @property
    def grouping(self) -> bool:
        """Whether a commit is being gathered."""
        return self._group is not None

    @property
    def connection(self) -> Connection:
        return self._connection

    def work(self, work: Callable[[Transaction], T]) -> T:
        """Run one piece of work. What it raises undoes it alone, and is raised here."""
        self.works += 1
        if self._group is not None:
            return self._run(self._group, work)
        group = self.gather()
        try:
            return self._run(group, work)
        finally:
            self.commit()

    def gather(self) -> Transaction:
        """Begin a commit that several pieces of work share."""
        self._connection.exec_driver_sql("BEGIN IMMEDIATE")
        self._group = Transaction(self._connection, self._clock(), self.last_seq)
        return self._group

    def commit(self) -> None:
        assert self._group is not None
        self._group.flush()
        self._connection.exec_driver_sql("COMMIT")
        self.last_seq = self._group.last_seq
        self.published += self._group.notices.events
        self._group = None
        self.commits += 1

    def restart(self) -> None:
        """Close the database and open it again; a commit that was being gathered is gone."""
        if self._group is not None:
            self._connection.exec_driver_sql("ROLLBACK")
        self._close()
        self._open()

    def remove(self) -> None:
        """Close the database and delete it."""
        self._close()
        self._folder.cleanup()

    def rows(self, table: Table) -> Sequence[Any]:
        return self._connection.execute(select(table).order_by(*table.primary_key)).all()

    def dump(self) -> list[Sequence[Any]]:
        """All that is stored."""
        return [self.rows(table) for table in schema.metadata.sorted_tables]

    def _open(self) -> None:
        self._engine = open_engine(self.path)
        self._connection = self._engine.connect()
        self._connection.exec_driver_sql("PRAGMA synchronous=OFF")  # what a power cut would take is not the question
        self._group = None
        newest = select(func.coalesce(func.max(schema.events.c.seq), 0))
        self.last_seq = self._connection.execute(newest).scalar_one()

    def _close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    def _run(self, group: Transaction, work: Callable[[Transaction], T]) -> T:
        begun = group.begin_work()
        try:
            result = work(group)
            group.end_work()
        except Exception:
            group.undo_work(begun)
            raise
        return result
