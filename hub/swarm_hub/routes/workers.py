"""The worker's two paths: claim the order, report and hear what to do."""

import asyncio
from dataclasses import replace
from typing import Annotated

from pydantic import Field
from pydantic_core import to_json
from starlette.responses import Response

from swarm_api.base import Answer
from swarm_api.errors import Conflict
from swarm_api.worker import MAX_WAIT, Ack, ResultReport, Source, to_wire
from swarm_hub.endings import lose
from swarm_hub.http import Call, parse_wire
from swarm_hub.identity.agent_tokens import TTL
from swarm_hub.ingest import ingest, pending_control
from swarm_hub.mirrors.mirrors import NotReady
from swarm_hub.orders import claim_order
from swarm_hub.redacted_reports import redacted
from swarm_hub.reports import CLAIM, REPORTS, Reports, without_usage
from swarm_hub.store.transaction import Transaction
from swarm_hub.transitions import control, load_agent, refuse_stale


class WaitQuery(Answer):
    """`wait`: seconds the answer may be held back until there is control. Unknown parameters are ignored."""

    wait: Annotated[float, Field(ge=0, le=MAX_WAIT)] = 0


async def claim(call: Call) -> Response:
    agent_id = call.caller.id
    asked = parse_wire(CLAIM, await call.fields())
    settings, upstream = call.hub.settings, call.hub.upstream_of(agent_id)
    where = None if agent_id.startswith("local-") else await _elsewhere(call, agent_id)
    order = await call.hub.store.write(
        lambda tx: claim_order(tx, agent_id, asked.incarnation, settings, upstream, where)
    )
    return _answer(order)


async def _elsewhere(call: Call, agent_id: str) -> Source:
    """The task's repository at the hub, brought up to date for a worker of another machine.

    An agent that has nothing to start from has failed. Raises `Conflict` `stale_agent` then, too.
    """
    pair = await call.hub.store.write(lambda tx: load_agent(tx, agent_id))
    refuse_stale(pair)
    again = pair.agent.incarnation is not None or (pair.agent.attempt > 1 and not pair.agent.fresh)
    try:
        ready = await call.hub.mirrors.prepare(pair.task, again=again)
    except NotReady as failure:
        code, message = failure.code, str(failure)
        await call.hub.store.write(lambda tx: lose(tx, agent_id, code, message))
        raise Conflict(f"agent {agent_id} has nothing to start from: {message}", code="stale_agent") from failure
    url = f"{call.hub.reached_from(agent_id)}/git/{pair.task.id}.git"
    return Source(kind="hub", location=url, base_ref=ready.base)


async def report(call: Call) -> Response:
    agent_id = call.caller.id
    wait = call.query(WaitQuery).wait
    batch = redacted(parse_wire(REPORTS, await call.fields()), call.hub.redactor)
    if call.hub.settings.metered:
        batch = without_usage(batch)
    with call.hub.inboxes.watch(agent_id) as news:
        ack = await call.hub.store.write(lambda tx: _taken(tx, call, batch))
        if wait and not ack.control and not _last_words(batch) and not call.hub.closing.is_set():
            ack = await _wait(call, agent_id, batch, ack, news, wait)
    return _answer(_with_token(call, ack))


def _taken(tx: Transaction, call: Call, batch: Reports) -> Ack:
    """What is stored; a worker whose token ages is told to take another."""
    agent_id, identity = call.caller.id, call.hub.identity
    ack = ingest(tx, agent_id, batch, call.hub.budgets)
    ageing = (call.caller.expires or 0) - TTL / 2 < identity.clock()
    if ageing and not _last_words(batch) and all(each.kind != "token" for each in ack.control):
        control(tx, load_agent(tx, agent_id).agent, {"kind": "token"})
        return replace(ack, control=pending_control(tx, load_agent(tx, agent_id).agent, batch.seen_control))
    return ack


def _with_token(call: Call, ack: Ack) -> Ack:
    """A token is made when it is told: none is written down."""
    if all(each.kind != "token" for each in ack.control):
        return ack
    identity = call.hub.identity
    token = identity.agents.issue("worker", call.caller.id, identity.clock())
    told = [replace(each, text=each.text or token) if each.kind == "token" else each for each in ack.control]
    return replace(ack, control=told)


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


def _answer(value: object) -> Response:
    return Response(to_json(to_wire(value)), media_type="application/json")
