"""Who follows: the journal of events, and the log of each task."""

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import select

from swarm_api.errors import Gone
from swarm_api.words import FINISHED
from swarm_hub.store import schema
from swarm_hub.store.entries import Entry, event_entry, line_entry
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices
from swarm_hub.tail import Tail

PAGE = 1_000
KEEP_EVENTS = 20_000
KEEP_LINES = 5_000
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

    def follow(self, after: int) -> AsyncIterator[Sequence[Entry]]:
        return self._tail.follow(after)

    async def check(self, after: int) -> None:
        """Raises `Gone` with `oldestSeq` when events after this number are no longer kept."""
        oldest = await self._store.read(
            lambda c: c.execute(select(schema.events.c.seq).order_by("seq").limit(1)).scalar()
        )
        if oldest is not None and after < oldest - 1:
            raise Gone(f"events up to {oldest - 1} are no longer kept", oldestSeq=oldest)

    async def _load(self, after: int) -> Sequence[Entry]:
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
        self._tails: dict[str, Tail] = {}
        store.listen(self._hear)

    async def follow(self, task_id: str, after: int) -> AsyncIterator[Sequence[Entry]]:
        tail = self._tails.get(task_id)
        if tail is None or tail.ended:
            tail = self._tails[task_id] = Tail(lambda seq: self._load(task_id, seq), KEEP_LINES)
        lines = tail.follow(after)
        try:
            if await self._finished(task_id):
                tail.end()
            async for batch in lines:
                yield batch
        finally:
            await lines.aclose()  # type: ignore[attr-defined]  # an async generator, which the protocol does not say
            if not tail.watched and self._tails.get(task_id) is tail:
                del self._tails[task_id]

    async def _finished(self, task_id: str) -> bool:
        query = select(schema.tasks.c.status).where(schema.tasks.c.id == task_id)
        return await self._store.read(lambda c: c.execute(query).scalar()) in FINISHED

    async def _load(self, task_id: str, after: int) -> Sequence[Entry]:
        line = schema.log_lines
        query = select(line).where(line.c.task_id == task_id, line.c.seq > after).order_by(line.c.seq).limit(PAGE)
        rows = await self._store.read(lambda c: c.execute(query).mappings().all())
        return [line_entry(dict(row)) for row in rows]

    def _hear(self, notices: Notices) -> None:
        for task_id, lines in notices.lines.items():
            if tail := self._tails.get(task_id):
                tail.publish(lines)
        for event in notices.events:
            if event.type in ENDING and event.task_id and (tail := self._tails.get(event.task_id)):
                tail.end()
