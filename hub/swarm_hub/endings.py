"""What the hub ends by itself, and what it remembers of its executor: whatever the worker says or does not say."""

from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Row, bindparam, select, update

from swarm_api.base import from_ms
from swarm_api.tasks import Blocked, Result
from swarm_api.words import LIVE
from swarm_executors.protocol import Handle
from swarm_hub.claims import HARD_MARGIN_MS, hard_limit
from swarm_hub.deliveries import is_staged
from swarm_hub.prices import Prices
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction
from swarm_hub.transitions import cancelled, change_agent, change_task, failed, load_agent, settle, stale

a = schema.agents.c

UNRELEASED = select(schema.agents).where(a.released == 0)
RELEASED = (
    update(schema.agents)
    .where(a.id == bindparam("wanted"), a.released == 0, a.handle.is_not_distinct_from(bindparam("found")))
    .values(released=1)
)
CANCEL_GRACE_MS = 8_000  # for a worker to keep the work after a cancel; within 15 s the state is final
STOP_GRACE_MS = 60_000  # for one that was stopped for money: it can spend no more, and its work is worth the time
PUT_OFF = (
    update(schema.agents)
    .where(a.released == 0, a.status.in_(LIVE))
    .values(deadline_ms=a.deadline_ms + bindparam("by"), stop_ms=a.stop_ms + bindparam("by"))
)


def unreleased(connection: Connection) -> list[Row[Any]]:
    """Every agent that the executor may still have something of."""
    return list(connection.execute(UNRELEASED).all())


def keep_handle(tx: Transaction, agent_id: str, handle: Handle) -> None:
    """The executor has the worker, and may have said where. Its time runs from here, if it had to wait for room."""
    task, agent = load_agent(tx, agent_id)
    placed: dict[str, Any] = {"handle": to_json(handle).decode(), "placed_ms": tx.now_ms}
    if region := handle.get("region"):
        placed["region"] = region
    if task.no_room is not None and task.agent_id == agent_id:
        change_task(tx, task.id, no_room=None, blocked=None)
        if agent.incarnation is None:
            placed["deadline_ms"] = hard_limit(tx.now_ms, from_json(task.spec))
    change_agent(tx, agent_id, **placed)


def no_room(tx: Transaction, agent_id: str, message: str, again_ms: int) -> None:
    """There is no room for the agent, and its executor is asked again in so many milliseconds: its task says so."""
    pair = load_agent(tx, agent_id)
    task, agent = pair
    if stale(pair) or agent.handle is not None:
        return
    change_agent(tx, agent_id, deadline_ms=hard_limit(tx.now_ms + again_ms, from_json(task.spec)))
    why = Blocked(reason="capacity", detail=message, until=from_ms(tx.now_ms + again_ms))
    changed: dict[str, Any] = {"no_room": why.to_json().decode()}
    if task.no_room is None:
        told = why.model_dump(mode="json", by_alias=True, exclude_none=True)
        changed |= {"blocked": "capacity", "seq": tx.event("task_blocked", task.id, {"blockedBy": [told]})}
    change_task(tx, task.id, **changed)


def release(tx: Transaction, agent_id: str, handle: str | None, prices: Prices) -> None:
    """The executor has nothing left of an ended agent: its task may have another, and its machine is paid.

    `handle` is as it was found in the database: an agent that was started meanwhile is looked at again.
    """
    tx.notices.ready = True
    if not tx.execute(RELEASED, {"wanted": agent_id, "found": handle}).rowcount:
        return
    task, agent = load_agent(tx, agent_id)
    if agent.placed_ms is None:
        return
    cost = prices.machine(agent.provider, agent.tier, max(0, tx.now_ms - agent.placed_ms)).micro_usd
    change_agent(tx, agent_id, compute_micro_usd=cost)
    change_task(tx, task.id, compute_micro_usd=task.compute_micro_usd + cost)


def lose(tx: Transaction, agent_id: str, code: str, message: str) -> None:
    """The worker is gone, or never was. An agent that has ended by itself meanwhile stays as it is."""
    pair = load_agent(tx, agent_id)
    if not stale(pair) and not is_staged(tx, agent_id):
        settle(tx, pair, failed(code, message))


def never_started(tx: Transaction, agent_id: str, message: str, prices: Prices) -> None:
    """The executor cannot start the worker: there is nothing of it, and there will not be."""
    lose(tx, agent_id, "start_failed", message)
    release(tx, agent_id, None, prices)


def put_off(tx: Transaction, by_ms: int) -> None:
    """Move the limits of what runs: the clock has jumped, and nobody has worked meanwhile."""
    tx.execute(PUT_OFF, {"by": by_ms})


def overdue(agent: Any, now_ms: int, since_ms: int) -> bool:
    """Whether an agent has ignored a cancel or its time limit for too long.

    A hub that was away gives workers the time to reach it again: what they did meanwhile must not be lost.
    """
    if agent.status not in LIVE:
        return False
    grace = CANCEL_GRACE_MS if agent.stop_reason is None else STOP_GRACE_MS
    if agent.stop_ms is not None and now_ms >= agent.stop_ms + grace:
        return True
    return bool(now_ms >= max(agent.deadline_ms, since_ms + HARD_MARGIN_MS))


def end_overdue(tx: Transaction, agent_id: str, since_ms: int) -> None:
    """The state first, the machine later: from here on the agent's reports are refused."""
    pair = load_agent(tx, agent_id)
    if not stale(pair) and overdue(pair.agent, tx.now_ms, since_ms):
        settle(tx, pair, _overdue_result(pair.agent))
        change_agent(tx, agent_id, stop_ms=tx.now_ms)  # it has had its time to leave


def _overdue_result(agent: Any) -> Result:
    if agent.stop_ms is not None:
        return cancelled("it was cancelled; its worker did not answer in time")
    if agent.incarnation is None:
        return failed("start_failed", "its worker did not begin within its time limit")
    return failed("timeout", "it passed its time limit and its worker did not end it", "timeout")
