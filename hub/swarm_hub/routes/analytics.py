"""Questions about cost and progress: metrics, SQL, and what can be asked."""

import asyncio
import os
from collections.abc import Coroutine
from typing import IO, Any, NamedTuple, TypeVar

from pydantic import Field
from sqlalchemy import Connection, func, select
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from swarm_api.analytics import ColumnOut, Metrics, MetricsPeriod, QueryIn, SchemaOut, TableOut
from swarm_api.base import Model, cents
from swarm_api.words import LIVE
from swarm_hub.analytics.analytics import Answer, Format
from swarm_hub.analytics.metrics import breakdown, ended_within, spans_of, steps_of, summary
from swarm_hub.analytics.tables import TABLES
from swarm_hub.http import Call, NoBody, accepts, parse, reply
from swarm_hub.leaving import left, unless_left
from swarm_hub.store import schema

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
PIECE = 256 * 1024  # bytes of an answer read at once
FORMATS: dict[str, Format] = {
    "application/json": "json",
    "text/csv": "csv",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.parquet": "parquet",
}
T = TypeVar("T")
t, a = schema.tasks.c, schema.agents.c


class MetricsQuery(Model):
    """`period`: the day, the week from Monday or the month that is now."""

    period: MetricsPeriod = Field(default="day")


async def metrics(call: Call) -> Response:
    period, zone, now = call.query(MetricsQuery).period, call.hub.settings.time_zone, call.hub.store.now_ms()
    spans = spans_of(period, now, zone)
    steps = steps_of(period, spans.period, zone)
    said = await _while_there(call.request, call.hub.analytics.figures(spans.period, spans.previous, steps))
    current = await call.hub.store.read(lambda connection: _now(connection, call, now))
    whole, parts = summary(said["period"], spans.period), breakdown(said["period"], steps)
    today = ended_within(parts["series"], spans.today)
    return reply(
        Metrics(
            **dict(whole),
            **parts,
            **current._asdict(),
            completed_today=today.completed,
            failed_today=today.failed,
            period=period,
            time_zone=zone.key,
            previous=summary(said["previous"], spans.previous),
            seq=said["seq"],
        )
    )


class _Now(NamedTuple):
    active_tasks: int
    running_agents: int
    cost_today: int
    cost_this_week: int


def _now(connection: Connection, call: Call, now_ms: int) -> _Now:
    """What is known without the projection, and exactly: money as budgets count it."""
    daily, weekly, *_ = call.hub.budgets.lines(connection, now_ms, ())
    active = connection.execute(select(func.count()).where(t.status.in_(("pending", "running")))).scalar_one()
    running = connection.execute(select(func.count()).where(a.released == 0, a.status.in_(LIVE))).scalar_one()
    return _Now(active, running, cents(daily.spent), cents(weekly.spent))


async def query(call: Call) -> Response:
    wish = parse(QueryIn, await call.fields())
    kind = accepts(call.request, *FORMATS)
    asking = call.hub.analytics.query(wish.sql, wish.params, wish.limit, FORMATS[kind])
    return _Rows(await _while_there(call.request, asking), kind)


async def schema_(call: Call) -> Response:
    tables = [
        TableOut(
            name=table.name,
            description=table.meaning,
            columns=[ColumnOut(name=name, type=type_, description=meaning) for name, type_, meaning in table.columns],
        )
        for table in TABLES
    ]
    return reply(SchemaOut(tables=tables, time_zone=call.hub.settings.time_zone.key))


async def prometheus(call: Call) -> Response:
    from swarm_hub.exposition import Counted, exposition, read_facts  # a third of a second that few hubs need

    hub, now = call.hub, call.hub.store.now_ms()
    capacity = hub.scheduler.place.capacity
    facts = await hub.store.read(lambda c: read_facts(c, hub.budgets, capacity, now, hub.outlooks.at(c, now)))
    body = exposition(facts, Counted(hub.counts, hub.gateway.counts, hub.identity.attempts.refused))
    return Response(body, media_type=PROMETHEUS)


async def rebuild(call: Call) -> Response:
    parse(NoBody, await call.fields())
    await call.hub.store.write(lambda tx: call.record(tx, "analytics.rebuild"))
    call.hub.analytics.rebuild()
    return Response(status_code=202)


async def _while_there(request: Request, asking: Coroutine[Any, Any, T]) -> T:
    """The answer, unless the one who asked leaves: then nobody works on it any more."""
    answer = await unless_left(asking, left(request.receive))
    if answer is None:
        raise ClientDisconnect
    return answer


class _Rows(Response):
    """An answer on its way, as it lies in its file."""

    def __init__(self, answer: Answer, kind: str) -> None:
        self._file: IO[bytes] = answer.file
        self.status_code = 200
        self.background = None
        self.media_type = kind
        self.init_headers({
            "Content-Length": str(os.fstat(answer.file.fileno()).st_size), "Cache-Control": "no-store",
            "X-Truncated": "true" if answer.truncated else "false", "X-Rows": str(answer.rows),
            "X-Seq": str(answer.seq),
        })  # fmt: skip

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        with self._file as file:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while piece := await asyncio.to_thread(file.read, PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
