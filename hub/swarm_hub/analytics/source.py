"""The hub's database as the projection reads it: one short snapshot after another, behind a cursor, never writing."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from swarm_hub.analytics.rows import (
    TOKENS,
    Row,
    agent_row,
    event_row,
    metered_row,
    notice_row,
    reported_rows,
    spending_row,
    task_row,
    tool_rows,
)
from swarm_hub.analytics.tables import NOTICES

PAGE = 5_000  # events, and calls, in one snapshot
LINES = 20_000  # of logs
RECENT = 96  # quarters of an hour in which what is spent may still change: clocks are set back
_ENDLESS = 2**63 - 1
_AMONG = "(SELECT value FROM json_each(?))"
_CALLS = (
    "SELECT c.rowid AS place, c.*, t.type AS type, t.repo AS repo"
    " FROM model_calls c JOIN tasks t ON t.id = c.task_id"
)  # fmt: skip
_BOOKED = (
    f"SELECT agent_id, model, {', '.join(f'sum({name})' for name in TOKENS)}, sum(cost_micro_usd) FROM model_calls"
    f" WHERE task_id IN {_AMONG} AND ended_ms IS NOT NULL GROUP BY agent_id, model"
)
_VOLUME = (
    "SELECT task_id, agent_id, stream, at_ms - at_ms % 3600000, count(*), sum(characters(text)) FROM log_lines"
    " WHERE task_id = ? AND seq > ? AND seq <= ? GROUP BY 1, 2, 3, 4"
)
_TOOLS = (
    "SELECT task_id, seq, agent_id, at_ms, data FROM log_lines"
    " WHERE task_id = ? AND seq > ? AND seq <= ? AND stream = 'tool' AND data IS NOT NULL ORDER BY seq"
)

_SPENT = "SELECT quarter, label, micro_usd FROM spent WHERE quarter >= ? ORDER BY quarter, label"

_Found = list[sqlite3.Row]
LogHeads = Callable[[Iterable[str]], Mapping[str, int]]


class NotOurs(Exception):
    """The projection is not one of this database, or of what it has become: it was restored from a backup, say."""


@dataclass(frozen=True)
class Cursor:
    """How far a projection has come. `generation` counts changes; `anchor`: what stands there in the hub's database."""

    generation: int = 0
    seq: int = 0  # of the newest event
    call_place: int = 0  # of the newest call in the book
    quarter: int = 0  # of an hour, since the epoch: the last one in which something was spent
    anchor: str = ""
    gap: int = 0  # newest event of the last task taken in, of those that no event left in the journal names


class Left(NamedTuple):
    """What changes without an event: calls that had not ended, by their place, and tasks to look at again."""

    open_calls: Sequence[int] = ()
    tasks: Sequence[str] = ()


@dataclass
class Changes:
    """What is new since a cursor, as rows. Tasks and agents are whole: they take the place of what is there.

    `log_volume`: what is to be added. `spending`: from its first quarter on all there is. `more`: there is another
    page behind it. `left`: what to look at again by then.
    """

    since: Cursor
    until: Cursor
    left: Left = field(default_factory=Left)
    more: bool = False
    events: list[Row] = field(default_factory=list)
    notices: list[Row] = field(default_factory=list)
    metered: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    labels: list[Row] = field(default_factory=list)
    dependencies: list[Row] = field(default_factory=list)
    agents: list[Row] = field(default_factory=list)
    reported: list[Row] = field(default_factory=list)
    log_volume: list[Row] = field(default_factory=list)
    spending: list[Row] = field(default_factory=list)
    tool_starts: list[Row] = field(default_factory=list)
    tool_ends: list[Row] = field(default_factory=list)


class Source:
    """Open with `with closing(Source(path, zone))`, in the thread that uses it."""

    def __init__(self, path: Path, zone: ZoneInfo) -> None:
        self._zone = zone
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.create_function("characters", 1, len, deterministic=True)  # SQLite's `length` ends at a NUL

    def close(self) -> None:
        self._db.close()

    def version(self) -> int:
        """Another number whenever somebody has committed."""
        (number,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(number)

    def anchor(self, seq: int, call_place: int) -> str:
        """What stands at a cursor: another database, or one from a backup, has something else there."""
        with self._snapshot():
            return self._anchor(seq, call_place)

    def changes(self, cursor: Cursor, left: Left, log_heads: LogHeads) -> Changes:
        """What came after a cursor, up to a page of it, in one snapshot.

        `log_heads` tells the last log line seen, of each task asked for.
        """
        with self._snapshot():
            before = self._before_the_journal(cursor)
            seq = cursor.seq if len(before) < PAGE else _ENDLESS  # first those; then what changed them
            events = self._read(f"SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT {PAGE}", seq)
            new = self._read(f"{_CALLS} WHERE c.rowid > ? ORDER BY c.rowid LIMIT {PAGE}", cursor.call_place)
            calls = [*self._read(f"{_CALLS} WHERE c.rowid IN {_AMONG}", _ids(left.open_calls)), *new]
            ended = [call for call in calls if call["ended_ms"] is not None]
            spent = self._read(_SPENT, cursor.quarter - RECENT)
            changes = Changes(
                since=cursor,
                until=replace(self._until(cursor, events, new, spent), gap=before[-1]["seq"] if before else cursor.gap),
                more=PAGE in (len(before), len(events), len(new)),
                events=[event_row(event) for event in events],
                notices=[notice_row(event) for event in events if event["type"] in NOTICES],
                metered=[metered_row(call, self._zone) for call in ended],
                spending=[spending_row(row, self._zone) for row in spent],
            )
            live = {row["task_id"] for row in self._read("SELECT task_id FROM agents WHERE released = 0")}
            changed = {row["task_id"] for row in (*before, *events, *ended) if row["task_id"] is not None}
            unread = self._add_tasks(changes, sorted({*changed, *live, *left.tasks}), log_heads)
            changes.more |= bool(unread)
            changes.left = Left([call["place"] for call in calls if call["ended_ms"] is None], sorted({*live, *unread}))
            return changes

    def _before_the_journal(self, cursor: Cursor) -> _Found:
        """A page of the tasks that no event left in the journal names. Raises `NotOurs`."""
        (oldest,) = self._db.execute("SELECT coalesce(min(seq), 1) FROM events").fetchone()
        if 0 < cursor.seq < oldest - 1:
            raise NotOurs("events were archived before it had seen them")
        if cursor.seq or oldest == 1:
            return []
        page = f"SELECT id AS task_id, seq FROM tasks WHERE seq > ? AND seq < ? ORDER BY seq LIMIT {PAGE}"
        return self._read(page, cursor.gap, oldest)

    def _until(self, cursor: Cursor, events: _Found, calls: _Found, spent: _Found) -> Cursor:
        seq = events[-1]["seq"] if events else cursor.seq
        place = calls[-1]["place"] if calls else cursor.call_place
        quarter = spent[-1]["quarter"] if spent else cursor.quarter
        return Cursor(cursor.generation + 1, seq, place, quarter, self._anchor(seq, place))

    def _add_tasks(self, changes: Changes, ids: list[str], log_heads: LogHeads) -> list[str]:
        """Those of whose logs there is more."""
        unread = []
        tasks = {task["id"]: task for task in self._read(f"SELECT * FROM tasks WHERE id IN {_AMONG}", _ids(ids))}
        heads = log_heads(ids)
        room = LINES
        for task in tasks.values():
            seen = heads.get(task["id"], 0)
            head = min(task["log_seq"], seen + room)
            self._add_log(changes, task["id"], seen, head)
            room -= head - seen
            changes.tasks.append(task_row(task, head))
            if head < task["log_seq"]:
                unread.append(task["id"])
        changes.labels = self._of_tasks("labels", ids)
        changes.dependencies = self._of_tasks("dependencies", ids)
        booked = self._booked(ids)
        for agent in self._read(f"SELECT * FROM agents WHERE task_id IN {_AMONG} ORDER BY task_id, id", _ids(ids)):
            changes.agents.append(agent_row(agent))
            in_book = booked.get(agent["id"], {})
            changes.reported += reported_rows(agent, tasks[agent["task_id"]], in_book, self._zone)
        return unread

    def _booked(self, ids: list[str]) -> dict[str, dict[str, Row]]:
        """Tokens and cost of the calls in the book, by agent and model."""
        booked: dict[str, dict[str, Row]] = {}
        for agent_id, model, *sums in self._read(_BOOKED, _ids(ids)):
            booked.setdefault(agent_id, {})[model] = tuple(sums)
        return booked

    def _add_log(self, changes: Changes, task_id: str, seen: int, head: int) -> None:
        if seen == head:
            return
        span = (task_id, seen, head)
        changes.log_volume += [tuple(row) for row in self._read(_VOLUME, *span)]
        starts, ends = tool_rows(self._read(_TOOLS, *span))
        changes.tool_starts += starts
        changes.tool_ends += ends

    def _anchor(self, seq: int, call_place: int) -> str:
        event = self._db.execute("SELECT type, task_id, at_ms FROM events WHERE seq = ?", (seq,)).fetchone()
        call = self._db.execute("SELECT id FROM model_calls WHERE rowid = ?", (call_place,)).fetchone()
        hub = self._db.execute("SELECT value FROM hub WHERE key = 'id'").fetchone()
        return json.dumps([tuple(row) if row else None for row in (hub, event, call)])

    def _of_tasks(self, table: str, ids: list[str]) -> list[Row]:
        rows = self._read(f"SELECT * FROM {table} WHERE task_id IN {_AMONG} ORDER BY 1, 2", _ids(ids))
        return [tuple(row) for row in rows]

    def _read(self, query: str, *values: object) -> _Found:
        with closing(self._db.execute(query, values)) as cursor:
            return cursor.fetchall()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Short: as long as one is open the hub's write-ahead log cannot be cut."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")


def _ids(values: Iterable[object]) -> str:
    return json.dumps(list(values))
