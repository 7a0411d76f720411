"""Following: events by WebSocket and SSE, logs by SSE, and both as history."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated

from pydantic import Field, ValidationError
from sqlalchemy import select
from sse_starlette import EventSourceResponse
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from swarm_api.base import Model
from swarm_api.errors import Gone, MalformedRequest
from swarm_api.words import EventType
from swarm_hub.find import find_task
from swarm_hub.http import Call, accepts
from swarm_hub.services import Hub
from swarm_hub.store import schema
from swarm_hub.store.entries import Entry, event_entry, line_entry

PING = 15  # seconds between two comments that keep an idle SSE stream open
SLOW = 10.0  # seconds a WebSocket may take to accept a message
EVENT_STREAM = "text/event-stream"
Seq = Annotated[int, Field(ge=0)]


class FollowQuery(Model):
    """`after`: replay what came after this number, then go on live. `types`: comma separated."""

    after: Seq | None = None
    types: str | None = None
    task_id: str | None = None

    def wanted(self) -> frozenset[str] | None:
        """Raises `MalformedRequest` for a type there is not."""
        if self.types is None:
            return None
        known = EventType.__args__  # type: ignore[attr-defined]  # a Literal's words
        types = frozenset(self.types.split(","))
        if unknown := sorted(types - set(known)):
            raise MalformedRequest(f"types: {unknown[0]!r} is no event type; allowed: {', '.join(known)}")
        return types


class EventQuery(FollowQuery):
    """`before` and `limit` page through history backwards, newest first."""

    before: Seq | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class LogQuery(Model):
    """`after`: the last line seen. `follow`: stay until the task ends."""

    after: Seq = 0
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    follow: bool = False


class Filter:
    """What a follower wants of the journal."""

    def __init__(self, types: frozenset[str] | None, task_id: str | None) -> None:
        self._types = types
        self._task_id = task_id

    def __call__(self, entries: Iterable[Entry]) -> list[Entry]:
        if self._types is None and self._task_id is None:
            return list(entries)
        return [entry for entry in entries if self._wants(entry)]

    def _wants(self, entry: Entry) -> bool:
        of_type = self._types is None or entry.type in self._types
        return of_type and self._task_id in (None, entry.task_id)


async def events(call: Call) -> Response:
    query = call.query(EventQuery)
    wanted = Filter(query.wanted(), query.task_id)
    if accepts(call.request, EVENT_STREAM, "application/json") == "application/json":
        return await _history(call.hub, query, wanted)
    after = _resume_from(call, query.after)
    if after is None:
        after = call.hub.journal.head
    await call.hub.journal.check(after)
    return _sse(call.hub, _event_chunks(call.hub, after, wanted))


async def _event_chunks(hub: Hub, after: int, wanted: Filter) -> AsyncIterator[bytes]:
    yield b": following\r\n\r\n"
    async for batch in hub.journal.follow(after):
        if chosen := wanted(batch):
            yield b"".join(_event_chunk(entry) for entry in chosen)


def _event_chunk(entry: Entry) -> bytes:
    return b"id: %d\r\ndata: %s\r\n\r\n" % (entry.seq, entry.frame)


async def _history(hub: Hub, query: EventQuery, wanted: Filter) -> Response:
    e = schema.events.c
    page = select(schema.events).order_by(e.seq.desc()).limit(query.limit)
    if query.before is not None:
        page = page.where(e.seq < query.before)
    if query.after is not None:
        page = page.where(e.seq > query.after)
    if query.task_id is not None:
        page = page.where(e.task_id == query.task_id)
    if (types := query.wanted()) is not None:
        page = page.where(e.type.in_(types))
    rows = await hub.store.read(lambda c: c.execute(page).all())
    found = wanted(event_entry(r.seq, r.type, r.task_id, r.payload.encode(), r.at_ms) for r in rows)
    more = b"%d" % found[-1].seq if len(found) == query.limit else b"null"
    body = b'{"events":[%s],"nextBefore":%s}' % (b",".join(entry.frame for entry in found), more)
    return Response(body, media_type="application/json")


async def logs(call: Call) -> Response:
    query = call.query(LogQuery)
    wanted = call.path("id")
    task = await call.hub.store.read(lambda c: find_task(c, wanted))
    kind = accepts(call.request, "application/json", EVENT_STREAM, "text/plain")
    if kind == EVENT_STREAM or query.follow:
        after = _resume_from(call, query.after) or 0
        return _sse(call.hub, _line_chunks(call.hub, task.id, after))
    return await _lines(call.hub, task.id, query, kind)


async def _line_chunks(hub: Hub, task_id: str, after: int) -> AsyncIterator[bytes]:
    yield b": following\r\n\r\n"
    async for batch in hub.logs.follow(task_id, after):
        yield b"".join(_event_chunk(entry) for entry in batch)
    yield b"event: end\r\ndata: {}\r\n\r\n"


async def _lines(hub: Hub, task_id: str, query: LogQuery, kind: str) -> Response:
    line = schema.log_lines
    page = select(line).where(line.c.task_id == task_id, line.c.seq > query.after).order_by(line.c.seq)
    rows = await hub.store.read(lambda c: c.execute(page.limit(query.limit)).mappings().all())
    if kind == "text/plain":
        return Response("".join(f"{row['text']}\n" for row in rows), media_type="text/plain; charset=utf-8")
    frames = b",".join(line_entry(dict(row)).frame for row in rows)
    after = rows[-1]["seq"] if rows else query.after
    return Response(b'{"lines":[%s],"nextAfter":%d}' % (frames, after), media_type="application/json")


def _resume_from(call: Call, after: int | None) -> int | None:
    """`Last-Event-ID` is what a browser sends when it reconnects; it is newer than the URL's `after`."""
    last = call.request.headers.get("last-event-id")
    if last is None:
        return after
    if not last.isdecimal():
        raise MalformedRequest(f"Last-Event-ID: must be a sequence number, not {last!r}")
    return int(last)


def _sse(hub: Hub, chunks: AsyncIterator[bytes]) -> Response:
    return EventSourceResponse(_until_closing(hub, chunks), ping=PING, headers={"Cache-Control": "no-store"})


async def _until_closing(hub: Hub, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """End the stream when the hub stops: its reader resumes at the next one."""
    closing = asyncio.ensure_future(hub.closing.wait())
    coming: asyncio.Future[bytes] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(chunks))
            await asyncio.wait({closing, coming}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                return
            yield coming.result()
    except StopAsyncIteration:
        return
    finally:
        closing.cancel()
        if coming is not None:
            coming.cancel()


async def follow_socket(hub: Hub, socket: WebSocket) -> None:
    """`/ws`: one message for each event. The guard has looked at who calls."""
    await socket.accept(subprotocol="swarm.v1" if "swarm.v1" in socket.scope["subprotocols"] else None)
    try:
        query = FollowQuery.model_validate(dict(socket.query_params))
        wanted = Filter(query.wanted(), query.task_id)
        after = hub.journal.head if query.after is None else query.after
        await hub.journal.check(after)
    except Gone as error:
        await socket.close(4410, f'{{"oldestSeq":{error.data["oldestSeq"]}}}')
        return
    except (ValidationError, MalformedRequest) as error:
        await socket.close(4400, str(error).splitlines()[0][:120])
        return
    await _run_socket(hub, socket, after, wanted)


async def _run_socket(hub: Hub, socket: WebSocket, after: int, wanted: Filter) -> None:
    sending = asyncio.ensure_future(_send(hub, socket, after, wanted))
    listening = asyncio.ensure_future(_drain(socket))
    closing = asyncio.ensure_future(hub.closing.wait())
    jobs: Sequence[asyncio.Future[object]] = (sending, listening, closing)  # type: ignore[assignment]
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        if closing.done() and socket.client_state is WebSocketState.CONNECTED:
            await socket.close(1012, "the hub is restarting; resume")
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def _send(hub: Hub, socket: WebSocket, after: int, wanted: Filter) -> None:
    try:
        async for batch in hub.journal.follow(after):
            for entry in wanted(batch):
                async with asyncio.timeout(SLOW):
                    await socket.send_text(entry.frame.decode())
    except TimeoutError:
        await socket.close(4008, "too slow; resume from the last seq")
    except (WebSocketDisconnect, RuntimeError, OSError):
        return  # the client went away


async def _drain(socket: WebSocket) -> None:
    """A follower has nothing to say; reading is how its leaving is noticed."""
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, RuntimeError, KeyError):
        return
