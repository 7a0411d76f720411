"""How a task and its agent change state. Everything here runs inside one transaction and journals what it did."""

from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json
from sqlalchemy import bindparam, delete, select, update

from swarm_api.base import cents, dollars
from swarm_api.errors import Conflict, NotFound
from swarm_api.tasks import ErrorOut, Result
from swarm_api.words import LIVE, ResultStatus, TaskStatus
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction

t, a, d = schema.tasks.c, schema.agents.c, schema.dependencies.c

# Built once: building a statement costs as much as running it.
TASK = select(schema.tasks).where(t.id == bindparam("wanted"))
AGENT = select(schema.agents).where(a.id == bindparam("wanted"))
CHANGED_TASK = update(schema.tasks).where(t.id == bindparam("wanted"))
CHANGED_AGENT = update(schema.agents).where(a.id == bindparam("wanted"))
WAITING = select(d.task_id).where(d.depends_on == bindparam("completed"))
RELEASED = (
    update(schema.tasks)
    .where(t.id.in_(WAITING), t.status == "pending", t.waiting_on > 0)
    .values(waiting_on=t.waiting_on - 1)
)

FORGET_SESSION = delete(schema.sessions).where(schema.sessions.c.task_id == bindparam("wanted"))

StopReason = Literal["budget", "usage_limit", "limit"]
PAUSED: frozenset[StopReason] = frozenset({"usage_limit", "limit"})
"""Reasons that say nothing about the task: it goes on later, and the try does not count."""
AT_ONCE = 1_000  # ids in one statement; SQLite takes some ten thousands

FINAL: dict[ResultStatus, TaskStatus] = {
    "success": "completed", "failure": "failed", "timeout": "failed", "budget": "failed", "cancelled": "cancelled",
}  # fmt: skip
RETRIED = frozenset({"worker_lost", "worker_stopped", "start_failed", "runtime_crashed", "out_of_memory"})
"""Errors that `maxAttempts` covers: the work did not fail, what carried it did."""


class Pair(NamedTuple):
    """A task and one of its agents."""

    task: Any
    agent: Any


def load_task(tx: Transaction, task_id: str) -> Any:
    """Raises `NotFound`."""
    row = tx.execute(TASK, {"wanted": task_id}).first()
    if row is None:
        raise NotFound(f"there is no task {task_id}")
    return row


def load_agent(tx: Transaction, agent_id: str) -> Pair:
    """An agent with its task. Raises `NotFound`."""
    agent = tx.execute(AGENT, {"wanted": agent_id}).first()
    if agent is None:
        raise NotFound(f"there is no agent {agent_id}")
    return Pair(load_task(tx, agent.task_id), agent)


def change_task(tx: Transaction, task_id: str, **values: Any) -> None:
    tx.execute(CHANGED_TASK, {"wanted": task_id, **values})


def change_agent(tx: Transaction, agent_id: str, **values: Any) -> None:
    tx.execute(CHANGED_AGENT, {"wanted": agent_id, **values})


def settle(tx: Transaction, pair: Pair, result: Result) -> None:
    """The end of an agent, and with it of its task, or the start of another attempt.

    An accepted cancel wins over whatever comes later; the branch in the result is kept all the same.
    """
    task, agent = pair
    lost = task.cancel_ms is None and _code(result) in ("worker_lost", "start_failed")
    result = _as_asked(task, agent, result)
    change_agent(
        tx, agent.id, status="lost" if lost else "finished", finished_ms=tx.now_ms,
        reserved_micro_usd=agent.held_micro_usd,
    )  # fmt: skip
    tx.tell(agent.id)
    tx.notices.freed = tx.notices.money = True
    payload: dict[str, Any] = {
        "agentId": agent.id, "status": result.status, "costCents": cents(agent.cost_micro_usd),
        "costMicroUsd": agent.cost_micro_usd, "error": result.error,
    }  # fmt: skip
    tx.event("agent_lost" if lost else "agent_completed", task.id, payload)
    tries = _tries(task, agent, result)
    if tries is None:
        finish(tx, task, result)
        return
    seq = tx.event("task_retried", task.id, {**payload, "attempt": task.attempts + 1})
    change_task(tx, task.id, status="pending", live=0, tries=tries, no_room=None, seq=seq)


def _as_asked(task: Any, agent: Any, result: Result) -> Result:
    """The result by what the worker was asked to do, and by what is left of the task's budget."""
    if task.cancel_ms is not None:
        cancelled_too = result.status == "cancelled"
        return result if cancelled_too else _changed(result, "cancelled", _error("cancelled", "it was cancelled"))
    if result.status == "success":
        return result
    again = agent.stop_reason in PAUSED or _code(result) in RETRIED
    if agent.stop_reason == "budget" or (again and 0 < task.budget_micro_usd <= task.cost_micro_usd):
        return _changed(result, "budget", _spent(task))
    # A cancel that nobody asked for: a machine going down, say.
    return result.model_copy(update={"status": "failure"}) if result.status == "cancelled" else result


def _changed(result: Result, status: ResultStatus, error: ErrorOut) -> Result:
    return result.model_copy(update={"status": status, "error": error})


def _tries(task: Any, agent: Any, result: Result) -> int | None:
    """How many tries count so far, where the task goes on with another attempt; None where it has ended."""
    if result.status != "failure":
        return None
    if agent.stop_reason in PAUSED:
        return int(task.tries) - 1
    again = _code(result) in RETRIED and task.tries < from_json(task.spec)["maxAttempts"]
    return int(task.tries) if again else None


def _code(result: Result) -> str | None:
    return result.error.code if result.error else None


def finish(tx: Transaction, task: Any, result: Result) -> None:
    """A task's final state, and what follows from it for those that depend on it."""
    status = FINAL[result.status]
    result = result.model_copy(update={"cost_cents": cents(task.cost_micro_usd)})
    payload = {
        "agentId": task.agent_id,
        "status": result.status,
        "filesChanged": result.files_changed,
        "costCents": result.cost_cents,
        "costMicroUsd": task.cost_micro_usd,
        "branch": result.branch,
        "error": result.error,
    }
    seq = tx.event(f"task_{status}", task.id, payload)  # type: ignore[arg-type]  # one of three event types
    change_task(
        tx, task.id, status=status, live=0, result=result.to_json().decode(), finished_ms=tx.now_ms, no_room=None,
        seq=seq,
    )  # fmt: skip
    if status == "completed":
        _forget_session(tx, task)
        _release_dependents(tx, task.id)
    else:
        _cancel_dependents(tx, task.id, status)


def _forget_session(tx: Transaction, task: Any) -> None:
    """Nobody goes on with it any more. Local agents keep theirs on their disk."""
    if task.session_id is not None and not (task.agent_id or "local-").startswith("local-"):
        tx.execute(FORGET_SESSION, {"wanted": task.id})


def _release_dependents(tx: Transaction, task_id: str) -> None:
    tx.notices.ready = True
    tx.execute(RELEASED, {"completed": task_id})


def _cancel_dependents(tx: Transaction, task_id: str, status: TaskStatus) -> None:
    """Whatever waits for it, at any distance, ends without having run."""
    reached = [task_id]
    while reached:
        some, reached = reached[:AT_ONCE], reached[AT_ONCE:]
        waiting = select(d.task_id).where(d.depends_on.in_(some))
        rows = tx.execute(select(schema.tasks).where(t.id.in_(waiting), t.status == "pending")).all()
        for row in rows:
            _cancel_dependent(tx, row, task_id, status)
        reached += [row.id for row in rows]


def _cancel_dependent(tx: Transaction, row: Any, cause: str, status: TaskStatus) -> None:
    result = Result(
        status="cancelled", error=_error("dependency_failed", f"it depends on {cause}, which {_was(status)}")
    )
    payload: dict[str, Any] = {
        "agentId": None,
        "status": "cancelled",
        "filesChanged": [],
        "costCents": 0,
        "error": result.error,
    }
    seq = tx.event("task_cancelled", row.id, {**payload, "cause": cause})
    change_task(
        tx, row.id, status="cancelled", cause=cause, result=result.to_json().decode(), finished_ms=tx.now_ms, seq=seq
    )  # fmt: skip


def _was(status: TaskStatus) -> str:
    return "failed" if status == "failed" else "was cancelled"


def cancel(tx: Transaction, task_id: str) -> bool:
    """Accept a cancel: at once for a task no worker has begun, else the worker is asked to stop.

    False when it was cancelled or being cancelled already. Raises `Conflict` `task_finished`, `NotFound`.
    """
    task = load_task(tx, task_id)
    if task.status in ("completed", "failed"):
        raise Conflict(f"task {task_id} has {task.status} already", code="task_finished")
    if task.status == "cancelled" or task.cancel_ms is not None:
        return False
    change_task(tx, task_id, cancel_ms=tx.now_ms)
    task = load_task(tx, task_id)
    if not task.live:
        finish(tx, task, cancelled("it was cancelled before it started"))
        return True
    pair = load_agent(tx, task.agent_id)
    change_agent(tx, pair.agent.id, stop_ms=tx.now_ms, stop_reason=None)
    if pair.agent.status == "starting":
        settle(tx, pair, cancelled("it was cancelled before its worker began"))
        return True
    control(tx, pair.agent, {"kind": "cancel", "reason": "cancelled"})
    change_agent(tx, pair.agent.id, status="stopping")
    return True


def stop_for(tx: Transaction, pair: Pair, reason: StopReason) -> None:
    """Ask an agent to stop and keep its work, for a reason of the hub's own. Asked once."""
    task, agent = pair
    if agent.stop_reason is not None:
        return
    if reason == "budget":
        limit, spent = (cents(amount) for amount in (task.budget_micro_usd, task.cost_micro_usd))
        tx.event("budget_exceeded", task.id, {
            "agentId": agent.id, "scope": "task", "limitCents": limit, "spentCents": spent,
        })  # fmt: skip
    control(tx, agent, {"kind": "cancel", "reason": reason})
    change_agent(tx, agent.id, stop_reason=reason, stop_ms=tx.now_ms)


def control(tx: Transaction, agent: Any, body: dict[str, Any]) -> None:
    """Something for the worker to do, repeated to it until it is seen."""
    c = agent.last_c + 1
    tx.add(schema.controls, {"agent_id": agent.id, "c": c, "body": to_json({**body, "c": c}).decode()})
    change_agent(tx, agent.id, last_c=c)
    tx.tell(agent.id)


def stale(pair: Pair) -> bool:
    """Whether an agent no longer speaks for its task."""
    return pair.agent.status not in LIVE or pair.task.agent_id != pair.agent.id


def refuse_stale(pair: Pair) -> None:
    """Raises `Conflict` `stale_agent`: the worker that hears it stops."""
    if stale(pair):
        raise Conflict(f"agent {pair.agent.id} is not the current one of its task", code="stale_agent")


def _spent(task: Any) -> ErrorOut:
    what = f"{dollars(task.cost_micro_usd)} of its budget of {dollars(task.budget_micro_usd)} are spent"
    return _error("budget_exceeded", f"{what}, and its next call might pass it; its work is kept")


def cancelled(message: str) -> Result:
    return Result(status="cancelled", error=_error("cancelled", message))


def failed(code: str, message: str, status: ResultStatus = "failure") -> Result:
    return Result(status=status, error=_error(code, message))


def _error(code: str, message: str) -> ErrorOut:
    return ErrorOut(code=code, message=message)
