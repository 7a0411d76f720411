"""Following something numbered: what is stored, then what comes, with a cursor and no queue."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

from swarm_hub.store.entries import Entry

Load = Callable[[int], Awaitable[Sequence[Entry]]]
CROWD = 100  # from this many waiting readers on, their writes are gathered
TICK = 0.025  # seconds between two wake-ups of a crowd


class Tail:
    """The newest entries of a sequence, shared by all its readers. Older ones are loaded.

    A reader that falls behind what is kept here reads from the store until it has caught up: there is no buffer
    that could overflow, and nothing a slow reader could hold up.
    """

    def __init__(self, load: Load, keep: int) -> None:
        """`load(after)` gives stored entries after a number, in order, a page at a time; empty when there are none."""
        self.load = load
        self.ended = False
        self.published = 0
        self.nudges = 0
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._waiting: set[asyncio.Future[None]] = set()
        self._woken_at = 0.0
        self._waking = False

    def follow(self, after: int) -> "Follower":
        return Follower(self, after)

    def publish(self, entries: Sequence[Entry]) -> None:
        self._entries.extend(entries)
        self.published += len(entries)
        self._wake_soon()

    def end(self) -> None:
        """Nothing more comes: readers stop when they have read what is there."""
        self.ended = True
        self.nudge()

    def nudge(self) -> None:
        """Wake every reader, whether there is something to read or not."""
        self.nudges += 1
        self._waking = False
        self._woken_at = asyncio.get_running_loop().time()
        for reader in self._waiting:
            if not reader.done():
                reader.set_result(None)
        self._waiting.clear()

    def kept(self, after: int) -> Sequence[Entry] | None:
        """The entries after a number if they are all in memory, else None. Numbers have no gaps."""
        if not self._entries or after < self._entries[0].seq - 1:
            return None
        return _last(self._entries, self._entries[-1].seq - after)

    async def wait(self) -> None:
        """Until woken. Each reader has a future of its own: cancelling a shared one would cancel them all."""
        reader = asyncio.get_running_loop().create_future()
        self._waiting.add(reader)
        try:
            await reader
        finally:
            self._waiting.discard(reader)

    def _wake_soon(self) -> None:
        if self._waking or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        due = self._woken_at + TICK - loop.time()
        if len(self._waiting) <= CROWD or due <= 0:
            self.nudge()
            return
        self._waking = True
        loop.call_later(due, self.nudge)


class Follower:
    """A reader's cursor: everything after a number, each entry once and in order."""

    def __init__(self, tail: Tail, after: int) -> None:
        self._tail = tail
        self.after = after

    async def next(self) -> Sequence[Entry] | None:
        """The next entries; empty when nudged for nothing; None when all is read and nothing more comes."""
        tail = self._tail
        while True:
            ended, published, nudges = tail.ended, tail.published, tail.nudges
            batch = tail.kept(self.after)
            if batch is None:
                batch = await tail.load(self.after)
            if batch:
                self.after = batch[-1].seq
                return batch
            if ended:
                return None
            if (tail.published, tail.nudges) == (published, nudges):  # nothing came while the store was being asked
                await tail.wait()
            if tail.published == published and not tail.ended:
                return ()


def _last(entries: deque[Entry], count: int) -> Sequence[Entry]:
    """The last `count` entries: a deque is quick only from its ends."""
    if count <= 0:
        return ()
    return list(islice(reversed(entries), count))[::-1]
