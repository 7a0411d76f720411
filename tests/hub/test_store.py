"""The store: one writer whose commits several pieces of work share, each of them all or nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices, Transaction


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "hub.db") as store:
        yield store


def note(key: str) -> dict[str, str]:
    return {"key": key, "value": "x"}


async def keys(store: Store) -> list[str]:
    query = select(schema.hub.c.key).order_by(schema.hub.c.key)
    return await store.read(lambda c: list(c.execute(query).scalars()))


def keep(key: str, *, look: bool = False, fail: bool = False) -> "Work":
    return Work(key, look, fail)


class Work:
    """A piece of work that adds a row and an event, looks at the database in between or not, and fails or not."""

    def __init__(self, key: str, look: bool, fail: bool) -> None:
        self.key, self.look, self.fail = key, look, fail

    def __call__(self, tx: Transaction) -> int:
        tx.add(schema.hub, note(self.key))
        if self.look:
            tx.execute(select(func.count()).select_from(schema.hub))
        seq = tx.event("task_created", self.key, {})
        tx.add(schema.hub, note(f"{self.key}+"))
        if self.fail:
            raise LookupError(self.key)
        return seq


@pytest.mark.parametrize("look", [False, True])
async def test_a_piece_of_work_that_fails_undoes_itself_alone(store: Store, look: bool) -> None:
    pieces = [keep(str(i), look=look, fail=i % 3 == 1) for i in range(9)]
    done = await asyncio.gather(*map(store.write, pieces), return_exceptions=True)
    assert [type(result) for result in done] == [int, LookupError, int] * 3
    assert await keys(store) == sorted(name for i in range(9) if i % 3 != 1 for name in (f"{i}", f"{i}+"))


async def test_events_are_numbered_without_a_gap_whatever_fails(store: Store) -> None:
    heard: list[int] = []
    store.listen(lambda notices: heard.extend(event.seq for event in notices.events))
    pieces = [keep(str(i), look=i % 2 == 0, fail=i % 4 == 3) for i in range(40)]
    done = await asyncio.gather(*map(store.write, pieces), return_exceptions=True)
    assert [seq for seq in done if isinstance(seq, int)] == list(range(1, 31))
    assert heard == list(range(1, 31))
    assert store.last_seq == 30


async def test_who_listens_hears_of_a_commit_before_its_caller_goes_on(store: Store) -> None:
    heard: list[Notices] = []
    store.listen(heard.append)
    seq = await store.write(keep("a"))
    assert [event.seq for notices in heard for event in notices.events] == [seq]


async def test_what_was_written_is_there_for_the_next_reader(store: Store) -> None:
    for i in range(20):
        await store.write(keep(f"{i:02d}"))
        assert f"{i:02d}" in await keys(store)


async def test_a_piece_sees_what_those_before_it_added(store: Store) -> None:
    def count(tx: Transaction) -> int:
        return int(tx.execute(select(func.count()).select_from(schema.hub)).scalar_one())

    *_, seen = await asyncio.gather(store.write(keep("a")), store.write(keep("b", look=True)), store.write(count))
    assert seen == 4


async def test_a_row_that_does_not_fit_takes_no_other_piece_along(store: Store) -> None:
    await store.write(keep("taken"))
    done = await asyncio.gather(*[store.write(keep(name)) for name in ("a", "taken", "b")], return_exceptions=True)
    assert [isinstance(result, int) for result in done] == [True, False, True]
    assert await keys(store) == ["a", "a+", "b", "b+", "taken", "taken+"]


async def test_what_a_caller_who_left_had_begun_is_done_all_the_same(store: Store) -> None:
    leaving = asyncio.create_task(store.write(keep("a")))
    await asyncio.sleep(0)
    leaving.cancel()
    await store.write(keep("b"))
    assert await keys(store) == ["a", "a+", "b", "b+"]


async def test_what_waits_when_the_store_closes_is_written(tmp_path: Path) -> None:
    async with Store(tmp_path / "hub.db") as store:
        writing = [asyncio.create_task(store.write(keep(str(i)))) for i in range(100)]
        await asyncio.sleep(0)
    await asyncio.gather(*writing)
    async with Store(tmp_path / "hub.db") as store:
        assert len(await keys(store)) == 200
        assert store.last_seq == 100
