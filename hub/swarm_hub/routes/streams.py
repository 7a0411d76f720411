"""Following: events and logs by SSE, and both as history."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Annotated, get_args

from pydantic import Field
from sqlalchemy import RowMapping, select
from starlette.responses import Response, StreamingResponse

from swarm_api.base import Model
from swarm_api.errors import MalformedRequest, NotAuthenticated
from swarm_api.ids import TASK_ID
from swarm_api.words import EVENT_TYPES, EventType
from swarm_hub.find import find_task
from swarm_hub.http import Call, accepts
from swarm_hub.services import Hub
from swarm_hub.sse import END, PING, EventStream, chunk
from swarm_hub.store import schema
from swarm_hub.store.entries import Entry, event_entry, line_entry
from swarm_hub.store.lines import read_lines
from swarm_hub.tail import Follower

EVENT_STREAM, PLAIN = "text/event-stream", "text/plain"
PAGE = 1_000  # log lines read at once
Seq = Annotated[int, Field(ge=0, le=2**53)]


class FollowQuery(Model):
    """`after`: replay what came after this number, then go on live. `types`: comma separated."""

    after: Seq | None = None
    types: str | None = None
    task_id: Annotated[str | None, Field(pattern=TASK_ID.pattern, description="A task's whole id.")] = None

    def wanted(self) -> "Filter":
        """Raises `MalformedRequest` for a type there is not."""
        if self.types is None:
            return Filter(None, self.task_id)
        types = frozenset(self.types.split(","))
        if unknown := sorted(types - EVENT_TYPES):
            known = ", ".join(get_args(EventType))
            raise MalformedRequest(f"types: {unknown[0]!r} is no event type; allowed: {known}")
        return Filter(types, self.task_id)


class EventQuery(FollowQuery):
    """`before` and `limit` page through history backwards, newest first."""

    before: Seq | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class LogQuery(Model):
    """`after`: the last line seen. `follow`: stay until the task ends."""

    after: Seq = 0
    limit: Annotated[int | None, Field(ge=1, le=10_000, description="None: 1,000 lines, or all as plain text.")] = None
    follow: bool = False


class Filter:
    """What a follower wants of the journal."""

    def __init__(self, types: frozenset[str] | None, task_id: str | None) -> None:
        self.types = types
        self.task_id = task_id

    def __call__(self, entries: Iterable[Entry]) -> list[Entry]:
        if self.types is None and self.task_id is None:
            return list(entries)
        return [entry for entry in entries if self._wants(entry)]

    def _wants(self, entry: Entry) -> bool:
        of_type = self.types is None or entry.type in self.types
        return of_type and self.task_id in (None, entry.task_id)


async def events(call: Call) -> Response:
    query = call.query(EventQuery)
    wanted = query.wanted()
    if accepts(call.request, EVENT_STREAM, "application/json") == "application/json":
        return await _history(call.hub, query, wanted)
    after = _resume_from(call, query.after)
    follower = await call.hub.journal.follow(call.hub.journal.head if after is None else after)
    return EventStream(_chunks(call, follower, wanted))


async def _chunks(call: Call, follower: Follower, wanted: Filter) -> AsyncGenerator[bytes, None]:
    yield PING  # at once, so that the reader knows it is connected
    while call.may_go_on() and (batch := await follower.next()) is not None and call.may_go_on():
        if not batch:
            yield PING
        elif chosen := wanted(batch):
            yield chunk(chosen)


async def _history(hub: Hub, query: EventQuery, wanted: Filter) -> Response:
    e = schema.events.c
    page = select(schema.events).order_by(e.seq.desc()).limit(query.limit)
    if query.before is not None:
        page = page.where(e.seq < query.before)
    if query.after is not None:
        page = page.where(e.seq > query.after)
    if wanted.task_id is not None:
        page = page.where(e.task_id == wanted.task_id)
    if wanted.types is not None:
        page = page.where(e.type.in_(wanted.types))
    rows = await hub.store.read(lambda c: c.execute(page).all())
    frames = [event_entry(r.seq, r.type, r.task_id, r.payload.encode(), r.at_ms).frame for r in rows]
    more = b"%d" % rows[-1].seq if len(rows) == query.limit else b"null"
    body = b'{"events":[%s],"nextBefore":%s}' % (b",".join(frames), more)
    return Response(body, media_type="application/json")


async def logs(call: Call) -> Response:
    query = call.query(LogQuery)
    wanted = call.path("id")
    task = await call.hub.store.read(lambda c: find_task(c, wanted))
    kind = accepts(call.request, "application/json", EVENT_STREAM, PLAIN)
    if kind == EVENT_STREAM or query.follow:
        return EventStream(_lines(call, task.id, _resume_from(call, query.after) or 0))
    if kind == PLAIN:
        return StreamingResponse(_text(call, task.id, query), media_type=PLAIN)
    return await _page(call.hub, task.id, query)


async def _lines(call: Call, task_id: str, after: int) -> AsyncGenerator[bytes, None]:
    yield PING
    async with call.hub.logs.follow(task_id, after) as follower:
        while call.may_go_on():
            batch = await follower.next()
            if batch is None:
                yield END
                return
            if call.may_go_on():
                yield chunk(list(batch)) if batch else PING


async def _page(hub: Hub, task_id: str, query: LogQuery) -> Response:
    rows = await _read_lines(hub, task_id, query.after, query.limit or PAGE)
    frames = b",".join(line_entry(dict(row)).frame for row in rows)
    after = rows[-1]["seq"] if rows else query.after
    return Response(b'{"lines":[%s],"nextAfter":%d}' % (frames, after), media_type="application/json")


async def _text(call: Call, task_id: str, query: LogQuery) -> AsyncGenerator[str, None]:
    """The lines without all else. A text cannot say where to go on, so it is whole unless it was limited."""
    after, left = query.after, query.limit
    while left != 0:
        try:
            call.hub.identity.refuse_ended(call.caller)  # a slow reader may stay for as long as lines are written
        except NotAuthenticated as error:
            yield f"({error.detail}: this is not all)\n"
            return
        rows = await _read_lines(call.hub, task_id, after, min(left or PAGE, PAGE))
        if not rows:
            return
        yield "".join(f"{row['text']}\n" for row in rows)
        after, left = rows[-1]["seq"], left and left - len(rows)


async def _read_lines(hub: Hub, task_id: str, after: int, limit: int) -> Sequence[RowMapping]:
    return await hub.store.read(lambda c: read_lines(c, task_id, after, limit))


def _resume_from(call: Call, after: int | None) -> int | None:
    """`Last-Event-ID` is what a browser sends when it reconnects; it is newer than the URL's `after`."""
    last = call.request.headers.get("last-event-id")
    if last is None:
        return after
    if not (last.isascii() and last.isdecimal() and len(last) < 16):
        raise MalformedRequest(f"Last-Event-ID: must be a sequence number, not {last[:50]!r}")
    return int(last)
