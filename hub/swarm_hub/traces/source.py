"""What is new to tell: the journal and the book of calls to the model, behind a cursor, a page at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json
from sqlalchemy import ColumnElement, Connection, Integer, delete, func, literal_column, select

from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads, Transaction

PAGE = 500  # events, and calls
LIFE = (
    "task_created", "agent_spawned", "task_started", "agent_completed", "agent_lost", "task_retried",
    "task_completed", "task_failed", "task_cancelled",
)  # fmt: skip
"""Events that begin or end a span."""
_KEY = "traced"  # the cursor's, in the hub's own table
_PLACE: ColumnElement[int] = literal_column(
    "model_calls.rowid", Integer
)  # in the order of asking; nobody deletes from the book
e, m, t, a, h = (each.c for each in (schema.events, schema.model_calls, schema.tasks, schema.agents, schema.hub))


class Cursor(NamedTuple):
    """How far has been told. `open`: calls up to that place which had not ended, by theirs."""

    seq: int
    place: int
    open: tuple[int, ...] = ()


@dataclass(frozen=True)
class Page:
    """What came after a cursor: ended calls, and the whole story of each task that one of them or an event is of.

    `more`: there is another page behind it.
    """

    since: Cursor
    until: Cursor
    more: bool = False
    calls: Sequence[Any] = ()
    stories: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    tasks: Mapping[str, Any] = field(default_factory=dict)
    agents: Mapping[str, Any] = field(default_factory=dict)


def known_cursor(reads: Reads) -> Cursor:
    """As far as an earlier hub came. Where none told anything, or of another history: what is new from now on."""
    newest = _newest(reads)
    kept = reads.execute(select(h.value).where(h.key == _KEY)).scalar()
    seq, place, open_ = from_json(kept) if kept else newest
    cursor = Cursor(seq, place, tuple(open_))
    return cursor if cursor.seq <= newest.seq and cursor.place <= newest.place else newest


def keep_cursor(tx: Transaction, cursor: Cursor) -> None:
    tx.execute(delete(schema.hub).where(h.key == _KEY))
    tx.add(schema.hub, {"key": _KEY, "value": to_json(cursor).decode()})


def read_page(connection: Connection, since: Cursor) -> Page:
    events = connection.execute(select(e.seq, e.type, e.task_id).where(e.seq > since.seq).order_by(e.seq).limit(PAGE))
    new = events.all()
    calls, asked = _calls(connection, since)
    until = Cursor(
        new[-1].seq if new else since.seq,
        asked[-1].place if asked else since.place,
        tuple(call.place for call in calls if call.ended_ms is None),
    )
    ended = [call for call in calls if call.ended_ms is not None]
    ids = {event.task_id for event in new if event.type in LIFE} | {call.task_id for call in ended}
    return Page(
        since, until, PAGE in (len(new), len(asked)), ended, _stories(connection, ids, until.seq),
        {row.id: row for row in connection.execute(_TASKS.where(t.id.in_(ids)))},
        {row.id: row for row in connection.execute(_AGENTS.where(a.task_id.in_(ids)))},
    )  # fmt: skip


_TASKS = select(  # no prompt, no result: what somebody wrote is none of a collector's business
    t.id, t.type, t.model, t.priority, t.repo, t.attempts, t.cost_micro_usd, t.spec,
)  # fmt: skip
_AGENTS = select(
    a.id, a.task_id, a.attempt, a.provider, a.region, a.tier, a.turns, a.usage, a.cost_micro_usd,
)  # fmt: skip


def _newest(reads: Reads) -> Cursor:
    seq = reads.execute(select(func.max(e.seq))).scalar()
    return Cursor(seq or 0, reads.execute(select(func.max(_PLACE)).select_from(schema.model_calls)).scalar() or 0)


def _calls(connection: Connection, since: Cursor) -> tuple[list[Any], list[Any]]:
    """Those that had not ended with those that were asked since, and the latter alone."""
    query = select(_PLACE.label("place"), schema.model_calls)
    asked = connection.execute(query.where(since.place < _PLACE).order_by(_PLACE).limit(PAGE)).all()
    left = connection.execute(query.where(_PLACE.in_(since.open)).order_by(_PLACE)).all() if since.open else []
    return [*left, *asked], list(asked)


def _stories(connection: Connection, ids: Iterable[str], until: int) -> dict[str, list[Any]]:
    query = select(e.seq, e.type, e.task_id, e.payload, e.at_ms).where(
        e.task_id.in_(ids), e.type.in_(LIFE), e.seq <= until
    )
    stories: dict[str, list[Any]] = {}
    for event in connection.execute(query.order_by(e.seq)):
        stories.setdefault(event.task_id, []).append(event)
    return stories
