"""Old events leave the hub's database for files, and nothing of them is lost."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import pytest_asyncio
from sqlalchemy import delete, func, select

from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_hub.archive import archive
from swarm_hub.archive.archive import DAY_MS, Archive, PartFailed
from swarm_hub.store import schema
from waiting import until

COUNT = "SELECT count(*), count(DISTINCT seq), min(seq), max(seq) FROM events"


class Calendar:
    now_ms = 1_780_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    monkeypatch.setattr(archive, "LEAST", 5)
    monkeypatch.setattr(archive, "MOST", 6)
    return Calendar()


@pytest_asyncio.fixture
async def old(tmp_path: Path, calendar: Calendar) -> AsyncIterator[PlayedHub]:
    """A hub with four ended tasks that are 91 days old, and a new one."""
    async with played_hub(tmp_path, calendar, journal_days=90) as hub:
        for _ in range(4):
            await hub.ended("success")
        calendar.now_ms += 91 * DAY_MS
        await hub.client.submit({"prompt": "New", "hold": True})
        yield hub


def keeper(hub: PlayedHub, days: int = 90) -> Archive:
    return Archive(hub.parts.store, hub.parts.settings.data_dir, days)


def parts(hub: PlayedHub) -> list[Path]:
    return sorted((hub.parts.settings.data_dir / "archive").glob("events-0*"))


async def stored(hub: PlayedHub) -> tuple[int, int]:
    """The first and the last event in the database."""
    seq = schema.events.c.seq
    row = await hub.parts.store.read(lambda c: c.execute(select(func.min(seq), func.max(seq))).one())
    return row[0], row[1]


async def asked(hub: PlayedHub, sql: str = COUNT) -> list[list[Any]]:
    return (await hub.client.query(sql)).rows


async def test_questions_see_the_same_events_before_and_after(old: PlayedHub) -> None:
    every = "SELECT * FROM events ORDER BY seq"
    before = await asked(old, every)
    await keeper(old).sweep()
    assert (await stored(old))[0] > 1
    assert await asked(old, every) == before


async def test_a_projection_made_again_has_the_archived_events(old: PlayedHub) -> None:
    (head,) = (await stored(old))[1:]
    await keeper(old).sweep()
    assert await asked(old) == [[head, head, 1, head]]
    await old.client.rebuild_analytics()
    assert await asked(old) == [[head, head, 1, head]]


async def test_limits_that_were_reached_are_known_before_and_after(tmp_path: Path, calendar: Calendar) -> None:
    """From the journal, from its files, and from both once all is made again."""
    told = {"scope": "label", "label": "team=search", "limitCents": 500, "spentCents": 401}
    async with played_hub(tmp_path, calendar, journal_days=90) as hub:
        task = await hub.ended("success")
        await hub.parts.store.write(lambda tx: tx.event("budget_warning", None, told))
        own = {"scope": "task", "limitCents": 7, "spentCents": 8}
        await hub.parts.store.write(lambda tx: tx.event("budget_exceeded", task.id, own))
        for _ in range(4):
            await hub.ended("success")
        limits = "SELECT type, scope, label, task_id, limit_micro_usd, spent_micro_usd FROM budgets ORDER BY seq"
        known = [
            ["budget_warning", "label", "team=search", None, 5_000_000, 4_010_000],
            ["budget_exceeded", "task", None, task.id, 70_000, 80_000],
        ]
        assert await asked(hub, limits) == known
        calendar.now_ms += 91 * DAY_MS
        await hub.client.submit({"prompt": "New", "hold": True})
        await keeper(hub).sweep()
        assert await asked(hub, limits) == known
        await hub.client.rebuild_analytics()
        assert await asked(hub, limits) == known


async def test_parts_follow_each_other_and_hold_every_word(old: PlayedHub) -> None:
    e = schema.events.c
    query = select(e.seq, e.type, e.task_id, e.payload, e.at_ms).order_by(e.seq)
    before = await old.parts.store.read(lambda c: [tuple(row) for row in c.execute(query)])
    await keeper(old).sweep()
    first, _ = await stored(old)
    kept = [row for path in parts(old) for row in _contents(path)]
    assert kept == before[: first - 1]
    assert len(parts(old)) > 1


async def test_only_its_owner_may_read_it(old: PlayedHub) -> None:
    await keeper(old).sweep()
    assert {path.stat().st_mode & 0o777 for path in parts(old)} == {0o600}
    assert parts(old)[0].parent.stat().st_mode & 0o777 == 0o700


async def test_young_events_stay(old: PlayedHub) -> None:
    await keeper(old, days=92).sweep()
    assert (await stored(old))[0] == 1
    assert parts(old) == []


async def test_zero_days_keep_all_of_them(old: PlayedHub) -> None:
    await keeper(old, days=0).sweep()
    assert (await stored(old))[0] == 1


async def test_too_few_for_a_file_stay(old: PlayedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LEAST", 1_000)
    await keeper(old).sweep()
    assert parts(old) == []


async def test_the_newest_event_stays_however_old(old: PlayedHub, calendar: Calendar) -> None:
    """The next one is numbered after it, also after a restart."""
    calendar.now_ms += 365 * DAY_MS
    await keeper(old).sweep()
    first, last = await stored(old)
    assert first <= last


async def test_a_follower_from_before_is_told_where_the_journal_begins(old: PlayedHub) -> None:
    await keeper(old).sweep()
    first, _ = await stored(old)
    answer = await old.get("/api/events?after=0", accept="text/event-stream")
    assert_problem(answer, 410, "gone")
    assert answer.json()["oldestSeq"] == first


async def test_a_hub_archives_by_itself(tmp_path: Path, calendar: Calendar) -> None:
    async with played_hub(tmp_path, calendar) as hub:
        for _ in range(4):
            await hub.ended("success")
    calendar.now_ms += 91 * DAY_MS
    async with played_hub(tmp_path, calendar) as hub:
        await until(lambda: len(parts(hub)) > 2)
        assert await asked(hub) == [[hub.parts.journal.head] * 2 + [1, hub.parts.journal.head]]


class TestBrokenOff:
    """Wherever it ends, the next sweep goes on, and questions see each event once."""

    @pytest.mark.parametrize("step", ["_write", "_mark", "_settle", "_delete_some"])
    async def test_it_goes_on(self, old: PlayedHub, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        head = (await stored(old))[1]
        with monkeypatch.context() as patch:
            _break(patch, step)
            with pytest.raises((OSError, PartFailed)):
                await keeper(old).sweep()
        assert await asked(old) == [[head, head, 1, head]]
        await keeper(old).sweep()
        assert (await stored(old))[0] > 6
        assert await asked(old) == [[head, head, 1, head]]

    async def test_half_a_part_is_no_part(self, old: PlayedHub) -> None:
        folder = old.parts.settings.data_dir / "archive"
        folder.mkdir(exist_ok=True)
        (folder / "events-000000000001-000000000006.parquet.unfinished").write_bytes(b"PAR1")
        head = (await stored(old))[1]
        await keeper(old).sweep()
        assert await asked(old) == [[head, head, 1, head]]

    async def test_what_no_file_holds_is_not_deleted(self, old: PlayedHub) -> None:
        """The mark alone is not believed."""
        await old.parts.store.write(lambda tx: archive._mark(tx, 6))
        await keeper(old, days=0).sweep()
        assert (await stored(old))[0] == 1

    async def test_a_part_of_another_journal_is_put_aside(self, old: PlayedHub) -> None:
        """The database was an older one's copy: it has these events itself, or others in their place."""
        await keeper(old).sweep()
        forget = delete(schema.hub).where(schema.hub.c.key == "archived")
        await old.parts.store.write(lambda tx: tx.execute(forget))
        names = {path.name for path in parts(old)}
        await keeper(old, days=0).sweep()
        assert {path.name for path in parts(old)} == {f"{name}.of-another-journal" for name in names}


def _contents(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        query = "SELECT seq, type, task_id, payload, at_ms FROM read_parquet(?) ORDER BY seq"
        return connection.execute(query, [str(path)]).fetchall()


def _break(patch: pytest.MonkeyPatch, step: str) -> None:
    def fail(*_: object) -> Any:
        raise OSError("the disk is full")

    if step == "_write":
        patch.setattr(Archive, step, fail)
        return
    whole = getattr(archive, step)
    calls: list[int] = []

    def once(*given: Any) -> Any:
        calls.append(1)
        return whole(*given) if step == "_settle" and len(calls) == 1 else fail()

    patch.setattr(archive, step, once)
