"""The store: writes through one thread, reads beside it, and word of every commit to those who follow."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, func, select

from swarm_hub.store import schema
from swarm_hub.store.database import open_engine
from swarm_hub.store.transaction import Notices, Transaction
from swarm_hub.store.writer import Clock, Writer, wall_clock

T = TypeVar("T")
READERS = 3


class Store:
    """Open with `async with Store(path)`. Listeners hear of each commit in the event loop, in commit order."""

    def __init__(self, path: Path, clock: Clock = wall_clock) -> None:
        self._path = path
        self._clock = clock
        self._listeners: list[Callable[[Notices], None]] = []

    async def __aenter__(self) -> "Store":
        """Raises `DatabaseUnusable`."""
        self._engine = await asyncio.to_thread(open_engine, self._path)
        self._readers = ThreadPoolExecutor(READERS, "swarm-reader")
        self.last_seq = await self.read(lambda c: c.execute(select(func.max(schema.events.c.seq))).scalar() or 0)
        self._writer = Writer(self._engine, self.last_seq, self._publish, self._clock)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._writer.aclose()
        self._readers.shutdown()
        self._engine.dispose()

    def listen(self, listener: Callable[[Notices], None]) -> None:
        self._listeners.append(listener)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; its result once that is durable. Raises what it raises, and `StorageFailed`."""
        return await self._writer.write(work)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on one consistent snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, query)

    def now_ms(self) -> int:
        return self._clock()

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                return query(connection)
            finally:
                connection.exec_driver_sql("COMMIT")

    def _publish(self, notices: Notices) -> None:
        if notices.events:
            self.last_seq = notices.events[-1].seq
        for listener in self._listeners:
            listener(notices)
