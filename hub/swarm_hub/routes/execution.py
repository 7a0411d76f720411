"""Starting tasks by hand, and what runs: execute, agents, queue."""

from pydantic import Field
from sqlalchemy import select
from starlette.responses import Response

from swarm_api.agents import Agent, AgentList, BlockedTask, Executed
from swarm_api.base import Answer, Model
from swarm_api.errors import NotFound
from swarm_api.words import LIVE
from swarm_hub import claims
from swarm_hub.claims import Claimed
from swarm_hub.find import find_task, newest_seq
from swarm_hub.http import Call, NoBody, parse, reply
from swarm_hub.queue import look_at_queue
from swarm_hub.repeats import once
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction
from swarm_hub.views import agent_view

a = schema.agents.c


class AgentQuery(Model):
    """`active`: only agents that are starting, running or stopping (true), or only those that are not (false)."""

    active: bool | None = Field(default=None)


async def execute(call: Call) -> Response:
    parse(NoBody, await call.fields())
    wanted = call.path("id")
    task = await call.hub.store.read(lambda c: find_task(c, wanted))
    begun: list[Claimed] = []

    def work(tx: Transaction) -> tuple[int, Answer]:
        begun[:] = [claims.execute(tx, task.id, call.hub.scheduler.place)]
        call.record(tx, "task.execute", target=task.id)
        return 202, claims.claimed_agents(tx, begun)[0]

    return await _started(call, begun, await once(call, {}, work))


async def execute_all(call: Call) -> Response:
    parse(NoBody, await call.fields())
    begun: list[Claimed] = []

    def work(tx: Transaction) -> tuple[int, Answer]:
        started, blocked = claims.execute_all(tx, call.hub.scheduler.place)
        begun[:] = started
        call.record(tx, "task.execute", detail=f"all that was ready: {len(started):,}")
        left = [BlockedTask(task_id=task_id, blocked_by=reasons) for task_id, reasons in blocked]
        return 202, Executed(started=claims.claimed_agents(tx, started), blocked=left)

    return await _started(call, begun, await once(call, {}, work))


async def _started(call: Call, begun: list[Claimed], response: Response) -> Response:
    for claimed in begun:
        call.hub.scheduler.start(claimed)
    return response


async def agents(call: Call) -> Response:
    active = call.query(AgentQuery).active
    query = select(schema.agents).order_by(a.claimed_ms.desc(), a.id).limit(1_000)
    if active is not None:
        query = query.where(a.status.in_(LIVE) if active else a.status.not_in(LIVE))
    found = await call.hub.store.read(
        lambda c: AgentList(agents=[agent_view(row) for row in c.execute(query)], seq=newest_seq(c))
    )
    return reply(found)


async def agent(call: Call) -> Response:
    wanted = call.path("id")
    row = await call.hub.store.read(lambda c: c.execute(select(schema.agents).where(a.id == wanted)).first())
    if row is None:
        raise NotFound(f"there is no agent {wanted}")
    view: Agent = agent_view(row)
    return reply(view)


async def queue(call: Call) -> Response:
    capacity = call.hub.scheduler.place.capacity
    now = call.hub.store.now_ms()
    return reply(await call.hub.store.read(lambda c: look_at_queue(c, capacity, now, call.hub.outlooks.at(c, now))))
