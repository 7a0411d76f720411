"""The cursor behind every stream: what comes while the store is being asked is not missed."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from swarm_hub.store.entries import Entry
from swarm_hub.tail import Tail

LINE = Entry(1, "agent", None, b"{}")


class SlowStore:
    """A store that is asked, and answers only when told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.told = asyncio.Event()

    async def load(self, after: int) -> Sequence[Entry]:
        self.asked.set()
        await self.told.wait()
        return ()


@pytest.mark.parametrize(
    ("happens", "read"),
    [(lambda tail: tail.end(), None), (lambda tail: tail.nudge(), ()), (lambda tail: tail.publish([LINE]), [LINE])],
    ids=["end", "nudge", "publish"],
)
async def test_what_happens_while_the_store_is_asked_is_noticed(
    happens: Callable[[Tail], None], read: Sequence[Entry] | None
) -> None:
    store = SlowStore()
    tail = Tail(store.load, keep=10)
    reading = asyncio.create_task(tail.follow(0).next())
    await store.asked.wait()
    happens(tail)
    store.told.set()
    async with asyncio.timeout(1):
        assert await reading == read


async def test_a_reader_that_leaves_takes_no_other_along() -> None:
    store = SlowStore()
    store.told.set()
    tail = Tail(store.load, keep=10)
    leaving, staying = (asyncio.create_task(tail.follow(0).next()) for _ in range(2))
    await store.asked.wait()
    leaving.cancel()
    await asyncio.wait([leaving])
    tail.publish([LINE])
    async with asyncio.timeout(1):
        assert await staying == [LINE]
