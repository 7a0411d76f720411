"""Following: each reader has each entry once and in order, whatever is published, read and forgotten meanwhile."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduler.gate import callbacks
from swarm_hub import tail
from swarm_hub.store.entries import Entry
from swarm_hub.tail import Follower, Tail

KEPT = 4  # entries in memory
PAGE = 3  # entries from the store at a time
LIMIT = 10.0  # seconds

Act = tuple[Literal["commit", "publish", "follow", "read", "nudge", "load", "pause"], int]
acts: st.SearchStrategy[Act] = st.tuples(
    st.sampled_from(
        ["commit", "commit", "publish", "publish", "follow", "read", "read", "read", "nudge", "load", "pause"]
    ),
    st.integers(0, 12),
)
stories = st.lists(acts, max_size=10) | st.lists(acts, min_size=20, max_size=50)


@dataclass
class Reader:
    """Reads when it is allowed to, and as often."""

    follower: Follower
    after: int
    allowed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    read: list[Entry] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            await self.allowed.acquire()
            batch = await self.follower.next()
            if batch is None:
                return
            self.read.extend(batch)


class Story:
    """A tail, the store behind it, and its readers."""

    def __init__(self) -> None:
        self.stored: list[Entry] = []
        self.published = 0
        self.tail = Tail(self._load, KEPT)
        self.readers: list[Reader] = []
        self._loads = asyncio.Semaphore(0)

    def act(self, what: str, number: int) -> None:
        match what:
            case "commit":
                first = len(self.stored) + 1
                self.stored += [Entry(seq, "agent", None, b"") for seq in range(first, first + number)]
            case "publish":
                until = min(self.published + number, len(self.stored))
                if until > self.published:  # an empty one would wake who was forgotten
                    self.tail.publish(self.stored[self.published : until])
                self.published = until
            case "follow":
                after = number % (len(self.stored) + 1)
                self.readers.append(Reader(self.tail.follow(after), after))
                self._tasks.append(asyncio.create_task(self.readers[-1].run()))
            case "read" if self.readers:
                self.readers[number % len(self.readers)].allowed.release()
            case "nudge":
                self.tail.nudge()
            case "load":
                self._loads.release()

    async def run(self, story: Sequence[Act]) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        for what, number in story:
            self.act(what, number)
            if what == "pause":
                await callbacks()
        await self._catch_up()
        self.tail.end()
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*self._tasks)

    async def _catch_up(self) -> None:
        """Everybody reads on, and the store answers: all must see all, before it is said to be over."""
        self.act("publish", len(self.stored))
        endless = 10 * (len(self.stored) + len(self.readers) + 10)
        for semaphore in (self._loads, *(reader.allowed for reader in self.readers)):
            for _ in range(endless):
                semaphore.release()
        for more in (0, 1, 1):
            self.act("commit", more)
            self.act("publish", more)
            async with asyncio.timeout(LIMIT):
                while any(reader.read != self.stored[reader.after :] for reader in self.readers):
                    await callbacks()

    async def _load(self, after: int) -> Sequence[Entry]:
        page = self.stored[after : after + PAGE]
        await self._loads.acquire()  # what comes from here on is not in the answer
        return page


@settings(max_examples=300, deadline=None)
@given(story=stories)
@example(story=[("follow", 0), ("read", 0), ("pause", 0), ("commit", 3), ("publish", 3)])  # while the store is asked
def test_each_reader_has_each_entry_once_and_in_order(story: list[Act]) -> None:
    asyncio.run(Story().run(story))


@settings(max_examples=40, deadline=None)
@given(story=stories)
def test_so_does_each_of_a_crowd(story: list[Act]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "CROWD", 1)
        asyncio.run(Story().run(story))
