"""Who follows: the journal of events, and the log of each task."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import func, select

from swarm_api.errors import Gone
from swarm_api.words import FINISHED
from swarm_hub.store import schema
from swarm_hub.store.entries import Entry, event_entry, line_entry
from swarm_hub.store.lines import read_lines
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices
from swarm_hub.tail import Follower, Tail

PAGE = 1_000
KEEP_EVENTS = 5_000
KEEP_LINES = 2_000
ENDING = frozenset({"task_completed", "task_failed", "task_cancelled"})


class Journal:
    """All events in one order. Follow it from a cursor and see each once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tail = Tail(self._load, KEEP_EVENTS)
        store.listen(self._hear)

    @property
    def head(self) -> int:
        """The number of the newest event."""
        return self._store.last_seq

    async def follow(self, after: int) -> Follower:
        """A cursor behind an event. Raises `Gone` with `oldestSeq` when it cannot show all that came after it.

        That is when some of it is no longer kept, and when the event is none of this journal's: a hub that began
        anew must not hide what happens until it has come as far.
        """
        seq = schema.events.c.seq
        ends = select(select(func.min(seq)).scalar_subquery(), select(func.max(seq)).scalar_subquery())
        oldest, newest = await self._store.read(lambda c: c.execute(ends).one())
        if after < (oldest or 1) - 1:
            raise Gone(f"events up to {oldest - 1} are no longer kept", oldestSeq=oldest)
        if after > (newest or 0):
            raise Gone(f"this journal ends at event {newest or 0}", oldestSeq=oldest or 1)
        return self._tail.follow(after)

    def nudge(self) -> None:
        self._tail.nudge()

    async def _load(self, after: int) -> Sequence[Entry]:
        if after >= self.head:
            return ()
        e = schema.events.c
        query = select(e.seq, e.type, e.task_id, e.payload, e.at_ms).where(e.seq > after).order_by(e.seq).limit(PAGE)
        rows = await self._store.read(lambda c: c.execute(query).all())
        return [event_entry(row.seq, row.type, row.task_id, row.payload.encode(), row.at_ms) for row in rows]

    def _hear(self, notices: Notices) -> None:
        if notices.events:
            self._tail.publish(notices.events)


class Logs:
    """The log of each task: lines 1, 2, 3 … and then live, until the task has ended."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tails: dict[str, tuple[Tail, int]] = {}
        store.listen(self._hear)

    @asynccontextmanager
    async def follow(self, task_id: str, after: int) -> AsyncIterator[Follower]:
        """A cursor behind a line. Its tail is kept in memory as long as somebody follows."""
        tail, readers = self._tails.get(task_id, (None, 0))
        if tail is None or tail.ended:
            tail, readers = Tail(lambda seq: self._load(task_id, seq), KEEP_LINES), 0
        self._tails[task_id] = (tail, readers + 1)
        try:
            if await self._finished(task_id):
                tail.end()
            yield tail.follow(after)
        finally:
            self._leave(task_id, tail)

    def nudge(self) -> None:
        for tail, _ in self._tails.values():
            tail.nudge()

    def _leave(self, task_id: str, tail: Tail) -> None:
        current, readers = self._tails.get(task_id, (None, 0))
        if current is not tail:
            return  # another attempt has a tail of its own
        if readers > 1:
            self._tails[task_id] = (tail, readers - 1)
        else:
            del self._tails[task_id]

    async def _finished(self, task_id: str) -> bool:
        query = select(schema.tasks.c.status).where(schema.tasks.c.id == task_id)
        return await self._store.read(lambda c: c.execute(query).scalar()) in FINISHED

    async def _load(self, task_id: str, after: int) -> Sequence[Entry]:
        rows = await self._store.read(lambda c: read_lines(c, task_id, after, PAGE))
        return [line_entry(dict(row)) for row in rows]

    def _hear(self, notices: Notices) -> None:
        for task_id, lines in notices.lines.items():
            if task_id in self._tails:
                self._tails[task_id][0].publish([line_entry(row) for row in lines])
        for event in notices.events:
            if event.type in ENDING and event.task_id in self._tails:
                self._tails[event.task_id][0].end()
