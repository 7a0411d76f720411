"""The worker's two paths: claim the order, report and hear what to do."""

import asyncio
from typing import Annotated

from pydantic import Field
from pydantic_core import to_json
from starlette.responses import Response

from swarm_api.base import Answer
from swarm_api.errors import NotAuthenticated
from swarm_api.worker import MAX_WAIT, Ack, ResultReport, to_wire
from swarm_hub.http import Call, parse_wire
from swarm_hub.ingest import ingest, pending_control
from swarm_hub.orders import claim_order
from swarm_hub.reports import CLAIM, REPORTS, Reports
from swarm_hub.store.transaction import Transaction
from swarm_hub.transitions import load_agent, refuse_stale


class WaitQuery(Answer):
    """`wait`: seconds the answer may be held back until there is control. Unknown parameters are ignored."""

    wait: Annotated[float, Field(ge=0, le=MAX_WAIT)] = 0


async def claim(call: Call) -> Response:
    agent_id = _authenticated(call)
    asked = parse_wire(CLAIM, await call.fields())
    order = await call.hub.store.write(lambda tx: claim_order(tx, agent_id, asked.incarnation, call.hub.settings))
    return _answer(order)


async def report(call: Call) -> Response:
    agent_id = _authenticated(call)
    wait = call.query(WaitQuery).wait
    batch = parse_wire(REPORTS, await call.fields())
    async with call.hub.inboxes.watch(agent_id) as news:
        ack = await call.hub.store.write(lambda tx: ingest(tx, agent_id, batch))
        if wait and not ack.control and not _last_words(batch) and not call.hub.closing.is_set():
            ack = await _wait(call, agent_id, batch, ack, news, wait)
    return _answer(ack)


def _last_words(batch: Reports) -> bool:
    """Whether the agent has ended with this batch: there is nothing left to wait for."""
    return any(isinstance(report, ResultReport) for report in batch.reports)


async def _wait(call: Call, agent_id: str, batch: Reports, ack: Ack, news: asyncio.Event, wait: float) -> Ack:
    """Hold the answer until there is control, the agent is no longer current, the hub closes, or time is up."""
    try:
        async with asyncio.timeout(wait):
            await news.wait()
    except TimeoutError:
        return ack

    def look(tx: Transaction) -> Ack:
        pair = load_agent(tx, agent_id)
        refuse_stale(pair)
        return Ack(stored=ack.stored, control=pending_control(tx, pair.agent, batch.seen_control))

    return await call.hub.store.write(look)


def _authenticated(call: Call) -> str:
    agent_id = call.path("id")
    scheme, _, token = call.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not call.hub.tokens.opens(token, agent_id):
        raise NotAuthenticated("this path takes the worker token of its own agent")
    return agent_id


def _answer(value: object) -> Response:
    return Response(to_json(to_wire(value)), media_type="application/json")
