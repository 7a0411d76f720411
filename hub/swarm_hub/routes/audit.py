"""Who did what, when, from where."""

from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection, select
from starlette.responses import Response

from swarm_api.auth import AuditEntry, AuditList
from swarm_api.base import Model, from_ms
from swarm_hub.http import Call, reply
from swarm_hub.store import schema

u = schema.audit.c


class AuditQuery(Model):
    """`before` pages back. `who` and `action` must match, `target` too."""

    before: Annotated[int | None, Field(ge=0, le=2**53)] = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    who: Annotated[str | None, Field(max_length=100)] = None
    action: Annotated[str | None, Field(max_length=100)] = None
    target: Annotated[str | None, Field(max_length=100)] = None


async def audit(call: Call) -> Response:
    query = call.query(AuditQuery)
    page = await call.hub.store.read(lambda c: _page(c, query))
    return reply(page.model_copy(update={"refused": dict(call.hub.identity.attempts.refused)}))


def _page(connection: Connection, query: AuditQuery) -> AuditList:
    page = select(schema.audit).order_by(u.seq.desc()).limit(query.limit)
    if query.before is not None:
        page = page.where(u.seq < query.before)
    for column, wanted in ((u.who, query.who), (u.action, query.action), (u.target, query.target)):
        if wanted is not None:
            page = page.where(column == wanted)
    rows = connection.execute(page).all()
    entries = [
        AuditEntry(
            seq=row.seq, at=from_ms(row.at_ms), who=row.who, action=row.action, target=row.target,
            outcome=row.outcome, address=row.address, request_id=row.request_id, detail=row.detail,
        )
        for row in rows
    ]  # fmt: skip
    return AuditList(entries=entries, next_before=rows[-1].seq if len(rows) == query.limit else None)
