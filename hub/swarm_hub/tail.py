"""Following something numbered: what is stored, then what comes, with a cursor and no queue."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from swarm_hub.store.entries import Entry

Load = Callable[[int], Awaitable[Sequence[Entry]]]
CROWD = 100  # from this many readers on, their writes are gathered
TICK = 0.025  # seconds between two wake-ups of a crowd


class Tail:
    """The newest entries of a sequence, shared by all its readers. Older ones are loaded.

    A reader that falls behind what is kept here reads from the store until it has caught up: there is no buffer
    that could overflow, and nothing a slow reader could hold up.
    """

    def __init__(self, load: Load, keep: int) -> None:
        """`load(after)` gives stored entries after a number, in order, a page at a time; empty when there are none."""
        self._load = load
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._readers: set[asyncio.Event] = set()
        self._woken_at = 0.0
        self._waking = False
        self.ended = False

    @property
    def watched(self) -> bool:
        return bool(self._readers)

    def publish(self, entries: Iterable[Entry]) -> None:
        self._entries.extend(entries)
        self.wake()

    def end(self) -> None:
        """Nothing more comes: readers stop when they have read what is there."""
        self.ended = True
        self.wake()

    def wake(self) -> None:
        if self._waking or not self._readers:
            return
        loop = asyncio.get_running_loop()
        due = self._woken_at + TICK - loop.time()
        if len(self._readers) <= CROWD or due <= 0:
            self._wake_now()
            return
        self._waking = True
        loop.call_later(due, self._wake_now)

    async def follow(self, after: int) -> AsyncIterator[Sequence[Entry]]:
        """Everything after a number, in batches, each entry once and in order."""
        with self._watch() as wake:
            while True:
                wake.clear()
                ended = self.ended
                batch = self._kept(after)
                if batch is None:
                    batch = await self._load(after)
                if batch:
                    after = batch[-1].seq
                    yield batch
                elif ended:
                    return
                else:
                    await wake.wait()

    def _kept(self, after: int) -> Sequence[Entry] | None:
        """The entries after a number if they are all in memory, else None."""
        if not self._entries or after < self._entries[0].seq - 1:
            return None
        newest = self._entries[-1].seq
        if after >= newest:
            return ()
        behind = newest - after
        return list(_last(self._entries, behind))

    @contextmanager
    def _watch(self) -> Iterator[asyncio.Event]:
        wake = asyncio.Event()
        self._readers.add(wake)
        try:
            yield wake
        finally:
            self._readers.discard(wake)

    def _wake_now(self) -> None:
        self._waking = False
        self._woken_at = asyncio.get_running_loop().time()
        for reader in self._readers:
            reader.set()


def _last(entries: deque[Entry], count: int) -> list[Entry]:
    """The last `count` entries; numbers have no gaps, and a deque is quick only from its ends."""
    newest_first = reversed(entries)
    return [next(newest_first) for _ in range(min(count, len(entries)))][::-1]
