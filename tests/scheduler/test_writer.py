"""The one thread that writes: pieces of work share commits, and do not share their failures."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from scheduler.gate import Gate, callbacks
from scheduler.ledger import template
from swarm_api.errors import Conflict, StorageFailed
from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices, Transaction

Work = Callable[[Transaction], Any]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "hub.db") as store:
        yield store


def note(key: str) -> Work:
    """Work that stores a key and an event about it."""

    def work(tx: Transaction) -> str:
        tx.add(schema.hub, {"key": key, "value": ""})
        tx.event("task_created", key, {})
        return key

    return work


def note_and_fail(key: str) -> Work:
    def work(tx: Transaction) -> None:
        note(key)(tx)
        raise Conflict("never mind", code="never_mind")

    return work


def note_at_once(key: str) -> Work:
    """The same by a statement of its own: the database sees it before the commit."""

    def work(tx: Transaction) -> str:
        tx.execute(insert(schema.hub), {"key": key, "value": ""})
        tx.event("task_created", key, {})
        return key

    return work


def note_at_once_and_fail(key: str) -> Work:
    def work(tx: Transaction) -> None:
        note_at_once(key)(tx)
        raise Conflict("never mind", code="never_mind")

    return work


async def in_one_commit(store: Store, works: Sequence[Work]) -> list[Any]:
    """What came of each piece of work, an exception where it failed."""
    gate = Gate()
    held = asyncio.create_task(store.write(gate.hold))
    await gate.reached()
    writes = [asyncio.create_task(store.write(work)) for work in works]
    await callbacks()
    gate.open()
    await held
    return await asyncio.gather(*writes, return_exceptions=True)


async def keys(store: Store) -> list[str]:
    return list(await store.read(lambda c: c.execute(select(schema.hub.c.key).order_by("key")).scalars()))


async def events(store: Store) -> list[tuple[int, str]]:
    e = schema.events.c
    rows = await store.read(lambda c: c.execute(select(e.seq, e.task_id).order_by(e.seq)).all())
    return [(row.seq, row.task_id) for row in rows]


async def test_what_waits_shares_one_commit(store: Store) -> None:
    commits: list[int] = []
    store.listen(lambda notices: commits.append(len(notices.events)))
    results = await in_one_commit(store, [note(f"key {i}") for i in range(50)])
    assert results == [f"key {i}" for i in range(50)]
    assert [events for events in commits if events] == [50]


@pytest.mark.parametrize("failing", [note_and_fail("b"), note_at_once_and_fail("b")])
async def test_work_that_raises_is_undone_alone(store: Store, failing: Work) -> None:
    results = await in_one_commit(store, [note("a"), failing, note("c"), note_at_once("d")])
    assert [str(result) for result in results] == ["a", "never mind", "c", "d"]
    assert await keys(store) == ["a", "c", "d"]
    assert await events(store) == [(1, "a"), (2, "c"), (3, "d")]


@pytest.mark.parametrize("doubled", [note("a"), note_at_once("a")], ids=["at the commit", "at once"])
async def test_work_that_the_database_refuses_fails_alone(store: Store, doubled: Work) -> None:
    results = await in_one_commit(store, [note("a"), note("b"), doubled, note("c")])
    assert isinstance(results[2], StorageFailed)
    assert await keys(store) == ["a", "b", "c"]
    assert await events(store) == [(1, "a"), (2, "b"), (3, "c")]


async def test_work_whose_caller_left_is_done_all_the_same(store: Store) -> None:
    gate = Gate()
    held = asyncio.create_task(store.write(gate.hold))
    await gate.reached()
    leaving = asyncio.create_task(store.write(note("left")))
    staying = asyncio.create_task(store.write(note("stayed")))
    await callbacks()
    leaving.cancel()
    gate.open()
    assert await staying == "stayed"
    await held
    assert await keys(store) == ["left", "stayed"]


async def test_closing_finishes_what_waits(tmp_path: Path) -> None:
    gate = Gate()
    async with Store(tmp_path / "hub.db") as store:
        writes = [asyncio.create_task(store.write(work)) for work in (gate.hold, note("a"), note("b"))]
        await gate.reached()
        await callbacks()
        asyncio.get_running_loop().call_soon(gate.open)
    assert [await write for write in writes] == [None, "a", "b"]


async def test_who_comes_after_the_end_is_told_so(tmp_path: Path) -> None:
    async with Store(tmp_path / "hub.db") as store:
        pass
    with pytest.raises(StorageFailed):
        await store.write(note("late"))


async def test_a_follower_that_fails_holds_up_no_caller(store: Store) -> None:
    def fail(_notices: Notices) -> None:
        raise ZeroDivisionError

    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
    store.listen(fail)
    assert await store.write(note("a")) == "a"
    assert len(failures) == 1


async def test_a_full_disk_is_told_and_forgotten_when_there_is_room(store: Store) -> None:
    def limit(pages: int) -> Work:
        return lambda tx: tx.execute(text(f"PRAGMA max_page_count = {pages}")).scalar()

    much: list[Work] = [note("x" * 100_000 + str(i)) for i in range(3)]
    await store.write(limit(1))  # no more than it has
    results = await in_one_commit(store, [*much, note("small")])
    assert all(isinstance(result, StorageFailed) for result in results[:3])
    await store.write(limit(1_000_000))
    await in_one_commit(store, much)
    assert len(await keys(store)) == 4
    assert [seq for seq, _ in await events(store)] == [1, 2, 3, 4]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("empty"))


KINDS = (note, note_at_once, note_and_fail, note_at_once_and_fail)
works = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("abcdefgh")), max_size=12)


@settings(max_examples=60, deadline=None)
@given(groups=st.lists(works, max_size=3))
def test_whatever_fails_the_journal_is_what_was_heard_and_has_no_gap(
    empty: Path, groups: list[list[tuple[Callable[[str], Work], str]]]
) -> None:
    async def run() -> None:
        path = shutil.copyfile(empty, empty.with_name("copy.db"))
        heard: list[tuple[int, str | None]] = []
        async with Store(path) as store:
            store.listen(lambda notices: heard.extend((entry.seq, entry.task_id) for entry in notices.events))
            done: list[str] = []
            for group in groups:
                results = await in_one_commit(store, [kind(key) for kind, key in group])
                done += [result for result in results if isinstance(result, str)]
            assert await events(store) == heard == list(enumerate(done, 1))
            assert await keys(store) == sorted(done)
        for left in empty.parent.glob("copy.db*"):
            left.unlink()

    asyncio.run(run())
