"""Which tasks start next: the scheduler claims them, `execute` claims one out of turn."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import Integer, bindparam, exists, func, select, text, tuple_

from swarm_api.agents import Agent
from swarm_api.errors import Conflict
from swarm_api.ids import new_agent_id
from swarm_api.tasks import Blocked
from swarm_api.words import LIVE, Tier
from swarm_hub.budgets.budgets import Budgets
from swarm_hub.budgets.outlook import Outlook, labels_of, need
from swarm_hub.budgets.purse import Purse
from swarm_hub.budgets.shortage import needs_more_than
from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads, Transaction
from swarm_hub.transitions import change_task, load_task
from swarm_hub.views import agent_view, blocked_by, waits_for

t, a, la = schema.tasks.c, schema.agents.c, schema.labels.c

TOLD_AT_ONCE = 1_000  # tasks; the others are told of at the next look
HARD_MARGIN_MS = 30_000  # what a worker has beyond its timeout to interrupt the agent and keep the work


class Place(NamedTuple):
    """Where new agents go, how many may run at once, and what they may spend."""

    provider: str
    region: str | None
    capacity: int
    budgets: Budgets


class Claimed(NamedTuple):
    """An agent that was made and must be started. `first`: nobody has asked its executor for it before."""

    agent_id: str
    tier: Tier
    provider: str
    first: bool = False


_ENDING = (a.released == 0) | (a.held_micro_usd > 0)


def ending(task_id: Any) -> Any:
    """Whether something of an earlier attempt may still run, where two would share a worktree, or still cost."""
    return exists().where(a.task_id == task_id, _ENDING)


RUNNING = select(func.count()).where(a.released == 0, a.status.in_(LIVE))
NEXT = (
    select(schema.tasks)
    .where(text(schema.READY), ~ending(t.id))
    .order_by(t.rank, t.id)
    .limit(bindparam("count", type_=Integer))
)
PAGE = 50  # tasks that are read at once, at least


def claim_ready(tx: Transaction, place: Place) -> tuple[list[Claimed], bool]:
    """Make agents for what is ready, in order, as far as there is room and money; and whether either has run out."""
    room = place.capacity - running(tx)
    outlook = place.budgets.outlook(tx, tx.now_ms)
    if room <= 0 or outlook.limited_until:
        return [], True
    purse = Purse(outlook.lines)
    chosen: list[Any] = []
    for task in _in_line(tx, purse, room):
        if purse.take(need(task), labels_of(task)):
            chosen.append(task)
        if len(chosen) == room:
            break
    claims = _claim(tx, chosen, place)
    _tell_of_passed_over(tx, place, chosen[-1] if len(chosen) == room else None)
    return claims, len(chosen) == room or purse.shut


def _in_line(tx: Transaction, purse: Purse, at_once: int) -> Iterator[Any]:
    """Tasks that may start, in order, until nobody could be given anything."""
    count, last = max(at_once, PAGE), None
    hopeless = needs_more_than([(line, line.most) for line in purse.lines])
    while not purse.shut:
        query = NEXT.where(~hopeless)
        if last is not None:
            behind = (t.rank >= last.rank) & (tuple_(t.rank, t.id) > (last.rank, last.id))  # the first is for the index
            query = query.where(behind, ~_labelled(purse.shut_labels))
        rows = tx.execute(query, {"count": count}).all()
        yield from rows
        if len(rows) < count:
            return
        last = rows[-1]


def _labelled(labels: Sequence[str]) -> Any:
    return exists().where(la.task_id == t.id, schema.LABEL.in_(labels))


def _tell_of_passed_over(tx: Transaction, place: Place, last: Any) -> None:
    """Journal which tasks could start but for a budget, once for each wait: those in front of `last`, or all."""
    outlook = place.budgets.outlook(tx, tx.now_ms)
    if not outlook.lines:
        return
    short = needs_more_than([(line, line.left) for line in outlook.lines])
    untold = select(schema.tasks).where(text(schema.READY), t.blocked.is_(None), short)
    if last is not None:
        untold = untold.where(tuple_(t.rank, t.id) < (last.rank, last.id))
    for task in tx.execute(untold.order_by(t.rank, t.id).limit(TOLD_AT_ONCE)).all():
        seq = tx.event("task_blocked", task.id, {"blockedBy": _wire(blocked_by(task, outlook))})
        change_task(tx, task.id, blocked="budget", seq=seq)


def _claim(tx: Transaction, tasks: Sequence[Any], place: Place) -> list[Claimed]:
    """Make the agents of tasks that are ready. They are started after the commit, as often as it takes."""
    ids = _draw_ids(tx, place.provider, len(tasks))
    return [_claim_one(tx, task, agent_id, place) for task, agent_id in zip(tasks, ids, strict=True)]


def _claim_one(tx: Transaction, task: Any, agent_id: str, place: Place) -> Claimed:
    spec = from_json(task.spec)
    tx.add(schema.agents, _row(tx, task, spec, agent_id, place))
    tx.notices.money = True
    seq = tx.event("agent_spawned", task.id, {"agentId": agent_id, "provider": place.provider, "tier": spec["tier"]})
    counted = {"attempts": task.attempts + 1, "tries": task.tries + 1}
    change_task(tx, task.id, agent_id=agent_id, live=1, hold=0, blocked=None, seq=seq, **counted)
    return Claimed(agent_id, spec["tier"], place.provider, first=True)


def hard_limit(from_ms: int, spec: dict[str, Any]) -> int:
    """When an agent that was claimed, or whose worker began, at `from_ms` is stopped from outside."""
    return from_ms + int(spec["timeoutMinutes"] * 60_000) + HARD_MARGIN_MS


def running(tx: Reads) -> int:
    """How many agents hold a place."""
    return int(tx.execute(RUNNING).scalar_one())


def execute(tx: Transaction, task_id: str, place: Place) -> Claimed:
    """Start one task now, out of turn and whether it is held or not.

    Raises `Conflict`: `task_finished`, `task_running`, or `blocked` with `blockedBy`; nothing is changed then.
    """
    task = load_task(tx, task_id)
    if task.live or task.status == "running":
        raise Conflict(f"task {task_id} has an agent already: {task.agent_id}", code="task_running")
    if task.status != "pending":
        raise Conflict(f"task {task_id} is {task.status}; retry it instead", code="task_finished")
    busy = bool(tx.execute(select(ending(task.id))).scalar())
    outlook = place.budgets.outlook(tx, tx.now_ms)
    if blocked := _blocked(task, busy, place, place.capacity - running(tx), outlook):
        raise Conflict(f"task {task_id} cannot start: {blocked[0].detail}", code="blocked", blockedBy=_wire(blocked))
    return _claim(tx, [task], place)[0]


def execute_all(tx: Transaction, place: Place) -> tuple[list[Claimed], list[tuple[str, list[Blocked]]]]:
    """Start all that could start, held or not, in order; what cannot is named with its reasons and left as it was."""
    free: list[Any] = []
    blocked: list[tuple[str, list[Blocked]]] = []
    room = place.capacity - running(tx)
    busy = frozenset(tx.execute(select(a.task_id).where(_ENDING)).scalars())
    outlook = place.budgets.outlook(tx, tx.now_ms)
    purse = Purse(outlook.lines)
    for task in tx.execute(select(schema.tasks).where(t.status == "pending", t.live == 0).order_by(t.rank, t.id)).all():
        reasons = _blocked(task, task.id in busy, place, room - len(free), outlook)
        if not reasons and not purse.take(need(task), labels_of(task)):
            reasons = [Blocked(reason="budget", detail="what was left went to tasks in front of it")]
        if reasons:
            blocked.append((task.id, reasons))
        else:
            free.append(task)
    return _claim(tx, free, place), blocked


def _blocked(task: Any, busy: bool, place: Place, room: int, outlook: Outlook) -> list[Blocked]:
    """Why a task cannot start by hand. `busy`: its last attempt is still ending; `room`: places that are free."""
    reasons = [reason for reason in waits_for(task) if reason.reason != "hold"] or outlook.reasons(task)
    if busy:
        reasons.append(Blocked(reason="capacity", detail="the worker of its last attempt is still ending"))
    if not reasons and room <= 0:
        reasons.append(Blocked(reason="capacity", detail=f"{place.capacity} of {place.capacity} agents are running"))
    return reasons


def _wire(reasons: Sequence[Blocked]) -> list[Any]:
    return [reason.model_dump(mode="json", by_alias=True, exclude_none=True) for reason in reasons]


def claimed_agents(tx: Transaction, claims: Iterable[Claimed]) -> list[Agent]:
    """In the order of the claims."""
    ids = [claimed.agent_id for claimed in claims]
    found = {row.id: agent_view(row) for row in tx.execute(select(schema.agents).where(a.id.in_(ids)))}
    return [found[agent_id] for agent_id in ids]


def _draw_ids(tx: Transaction, provider: str, count: int) -> list[str]:
    """Ids that no agent has, drawn together: a look at the database for each would be felt."""
    ids: set[str] = set()
    while len(ids) < count:
        drawn = {new_agent_id(provider) for _ in range(count - len(ids))}
        ids |= drawn.difference(tx.execute(select(a.id).where(a.id.in_(drawn))).scalars())
    return list(ids)


def _row(tx: Transaction, task: Any, spec: dict[str, Any], agent_id: str, place: Place) -> dict[str, Any]:
    return {
        "id": agent_id,
        "task_id": task.id,
        "attempt": task.attempts + 1,
        "fresh": task.fresh,
        "provider": place.provider,
        "region": place.region,
        "tier": spec["tier"],
        "status": "starting",
        "handle": None,
        "released": 0,
        "incarnation": None,
        "stored_n": 0,
        "last_c": 0,
        "usage": None,
        "cost_micro_usd": 0,
        "reserved_micro_usd": 0 if place.budgets.free else need(task),
        "held_micro_usd": 0,
        "compute_micro_usd": 0,
        "turns": 0,
        "last_tool": None,
        "files": None,
        "cpu_percent": None,
        "rss_mb": None,
        "claimed_ms": tx.now_ms,
        "deadline_ms": hard_limit(tx.now_ms, spec),
        "stop_ms": None,
        "stop_reason": None,
        "placed_ms": None,
        "heartbeat_ms": None,
        "finished_ms": None,
    }
