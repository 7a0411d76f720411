"""One thread that writes: whatever waits when it comes round shares one commit."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from swarm_api.errors import StorageFailed
from swarm_hub.store.transaction import Notices, Transaction

T = TypeVar("T")
Clock = Callable[[], int]
GROUP = 512  # pieces of work in one commit, at most

log = logging.getLogger(__name__)


def wall_clock() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass
class _Job:
    run: Callable[[Transaction], Any]
    caller: Context
    done: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Takes work from the event loop and answers when it is durable.

    Work must bear being run again: when a group cannot be committed, its pieces are tried one by one.
    """

    def __init__(self, engine: Engine, last_seq: int, published: Callable[[Notices], None], clock: Clock) -> None:
        """`published` is called in the event loop after each commit, before those who waited for it go on."""
        self._engine = engine
        self._last_seq = last_seq
        self._published = published
        self._clock = clock
        self._waiting: deque[_Job] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="swarm-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; its result once that is durable. What it raises undoes it alone.

        Raises `StorageFailed` when the disk does not take it, or the writer is closed. A caller that is cancelled
        meanwhile changes nothing: the work is done all the same, and in his context.
        """
        if self._closing:
            raise StorageFailed("the hub is stopping and stores nothing more")
        job = _Job(work, copy_context(), self._loop.create_future())
        self._waiting.append(job)
        self._wake.set()
        result: T = await job.done
        return result

    async def aclose(self) -> None:
        """Finish what waits, then end the thread."""
        self._closing = True
        self._wake.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while True:
                self._wake.wait()
                self._wake.clear()
                while jobs := [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]:
                    self._commit(connection, jobs)
                if self._closing and not self._waiting:
                    return

    def _commit(self, connection: Any, jobs: list[_Job]) -> None:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            transaction = Transaction(connection, self._clock(), self._last_seq)
            for job in jobs:
                self._run_one(transaction, job)
            transaction.flush()
            connection.exec_driver_sql("COMMIT")
        except Exception as error:
            self._roll_back(connection)
            self._give_up(connection, jobs, error)
            return
        self._last_seq = transaction.last_seq
        self._loop.call_soon_threadsafe(self._finish, jobs, transaction.notices)

    def _run_one(self, transaction: Transaction, job: _Job) -> None:
        job.result = job.error = None
        work = transaction.begin_work()
        try:
            job.result = job.caller.run(job.run, transaction)
            transaction.end_work()
        except DBAPIError:
            raise
        except Exception as error:
            transaction.undo_work(work)
            job.error = error

    def _give_up(self, connection: Any, jobs: list[_Job], error: Exception) -> None:
        if len(jobs) > 1:
            for job in jobs:
                self._commit(connection, [job])
            return
        log.error("a commit failed: %s", error)
        jobs[0].error = StorageFailed(f"the hub could not store this: {getattr(error, 'orig', error)}")
        self._loop.call_soon_threadsafe(self._finish, jobs, Notices())

    def _roll_back(self, connection: Any) -> None:
        try:
            connection.exec_driver_sql("ROLLBACK")
        except DBAPIError as error:
            log.debug("nothing to roll back: %s", error)  # SQLite rolls back by itself when the disk is full

    def _finish(self, jobs: list[_Job], notices: Notices) -> None:
        try:
            self._published(notices)
        finally:  # it is durable, whatever a follower makes of it
            for job in jobs:
                _answer(job)


def _answer(job: _Job) -> None:
    if job.done.done():
        return
    if job.error is not None:
        job.done.set_exception(job.error)
    else:
        job.done.set_result(job.result)
