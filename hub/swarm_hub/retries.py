"""Another attempt at what failed or was cancelled, and at what was cancelled for its sake."""

from typing import Any

from pydantic_core import from_json
from sqlalchemy import select

from swarm_api.base import CENT, cents
from swarm_api.errors import Conflict, InvalidInput
from swarm_api.tasks import Result
from swarm_api.words import FINISHED
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction
from swarm_hub.transitions import change_task, load_task

t, d = schema.tasks.c, schema.dependencies.c


def retry(tx: Transaction, task_id: str, fresh: bool, budget_cents: int | None = None) -> None:
    """A failed or cancelled task waits for another attempt, and those that were cancelled for its sake with it.

    `budget_cents`: its budget from now on. Raises `Conflict` (`task_not_finished`, `task_completed`,
    `dependency_failed`, `budget_spent`), `InvalidInput` and `NotFound`.
    """
    task = load_task(tx, task_id)
    if task.status not in FINISHED:
        raise Conflict(
            f"task {task_id} is {task.status}: only failed or cancelled tasks are retried", code="task_not_finished"
        )
    if task.status == "completed":
        raise Conflict(
            f"task {task_id} has completed: only failed or cancelled tasks are retried", code="task_completed"
        )
    broken = _broken_dependencies(tx, task_id)
    if broken:
        raise Conflict(
            f"retry {broken[0]} first: task {task_id} depends on it", code="dependency_failed", dependsOn=broken
        )
    change_task(tx, task_id, budget_micro_usd=_budget(task, budget_cents))
    _revive(tx, task, fresh=fresh, hold=False)
    _revive_dependents(tx, task_id)


def _budget(task: Any, wanted_cents: int | None) -> int:
    """What a task that is retried may spend in all, in micro-dollars. It must be more than it has spent."""
    spent = f"task {task.id} has spent {cents(task.cost_micro_usd)} cents"
    if wanted_cents is None:
        ended = Result.model_validate(from_json(task.result)).status
        if ended == "budget" or 0 < task.budget_micro_usd <= task.cost_micro_usd:
            raise Conflict(f"{spent}, and its budget is used up: give it a larger `budgetCents`", code="budget_spent")
        return int(task.budget_micro_usd)
    if wanted_cents * CENT <= task.cost_micro_usd:
        raise InvalidInput.field("budgetCents", f"is {wanted_cents}, but {spent} already; allowed: more than that")
    return wanted_cents * CENT


def _revive(tx: Transaction, task: Any, fresh: bool, hold: bool) -> None:
    tx.notices.ready = True
    waiting = len(_unfinished_dependencies(tx, task.id))
    seq = tx.event("task_retried", task.id, {"agentId": None, "attempt": task.attempts + 1, "fresh": fresh})
    change_task(
        tx, task.id, status="pending", tries=0, fresh=int(fresh), cancel_ms=None, cause=None, result=None,
        finished_ms=None, waiting_on=waiting, hold=int(hold), seq=seq,
    )  # fmt: skip


def _revive_dependents(tx: Transaction, task_id: str) -> None:
    """What was cancelled for its dependencies, at any distance, waits again as it did before.

    One that another failure still blocks stays as it is, whichever failure came first.
    """
    revived = [task_id]
    while revived:
        waiting = select(d.task_id).where(d.depends_on.in_(revived))
        of_cause = t.cause.is_not(None) & (t.status == "cancelled")
        rows = tx.execute(select(schema.tasks).where(t.id.in_(waiting), of_cause)).all()
        whole = [row for row in rows if not _broken_dependencies(tx, row.id)]
        for row in whole:
            _revive(tx, row, fresh=bool(row.fresh), hold=bool(row.hold))
        revived = [row.id for row in whole]


def _broken_dependencies(tx: Transaction, task_id: str) -> list[str]:
    wanted = select(d.depends_on).where(d.task_id == task_id)
    query = select(t.id).where(t.id.in_(wanted), t.status.in_(["failed", "cancelled"])).order_by(t.id)
    return list(tx.execute(query).scalars())


def _unfinished_dependencies(tx: Transaction, task_id: str) -> list[str]:
    wanted = select(d.depends_on).where(d.task_id == task_id)
    return list(tx.execute(select(t.id).where(t.id.in_(wanted), t.status != "completed")).scalars())
