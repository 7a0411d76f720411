"""The one way in for what workers report: each report counts once, whoever sends it how often."""

from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import bindparam, select

from swarm_api.errors import Conflict
from swarm_api.tasks import ErrorOut, Result
from swarm_api.worker import (
    Ack,
    Control,
    FilesReport,
    LogReport,
    ProgressReport,
    Report,
    ResultReport,
    SessionReport,
    UnknownReport,
    UsageReport,
    from_wire,
)
from swarm_hub.budgets.budgets import Budgets
from swarm_hub.deliveries import stage
from swarm_hub.orders import hub_delivers
from swarm_hub.reports import Reports
from swarm_hub.spent import added
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction
from swarm_hub.transitions import Pair, change_agent, change_task, load_agent, refuse_stale, settle, stale, stop_for

c = schema.controls.c
UNSEEN = select(c.body).where(c.agent_id == bindparam("agent"), c.c > bindparam("seen")).order_by(c.c)


def ingest(tx: Transaction, agent_id: str, reports: Reports, budgets: Budgets) -> Ack:
    """Store a batch and say what is durable and what the worker must do.

    A gap ends what is taken: the worker sends again from `stored`. Raises `Conflict` `stale_agent` when the agent is
    no longer its task's, except for a repetition of its own last words.
    """
    pair = load_agent(tx, agent_id)
    _refuse_unclaimed(pair)
    new = _next(reports.reports, pair.agent.stored_n)
    if not reports.reports or new:
        refuse_stale(pair)
    elif stale(pair):
        return Ack(stored=pair.agent.stored_n)
    changes = _Changes(tx, pair, budgets)
    for report in new:
        changes.apply(report)
    changed = changes.store(pair.agent.stored_n + len(new))
    if new and isinstance(new[-1], ResultReport):
        _end(tx, load_agent(tx, agent_id) if changed else pair, new[-1])
    return Ack(stored=pair.agent.stored_n + len(new), control=pending_control(tx, pair.agent, reports.seen_control))


def _refuse_unclaimed(pair: Pair) -> None:
    """Raises `Conflict` `stale_agent`: whoever has not taken the order does not carry it."""
    if pair.agent.incarnation is None:
        raise Conflict(f"agent {pair.agent.id} has not claimed its order", code="stale_agent")


def pending_control(tx: Transaction, agent: Any, seen: int) -> list[Control]:
    if agent.last_c <= seen:
        return []
    bodies = tx.execute(UNSEEN, {"agent": agent.id, "seen": seen}).scalars()
    return [from_wire(Control, from_json(body)) for body in bodies]


def _next(reports: Sequence[Report | UnknownReport], stored: int) -> list[Report | UnknownReport]:
    """The reports that follow what is stored, up to the first gap and no further than a result."""
    new: list[Report | UnknownReport] = []
    for report in reports:
        if report.n == stored + len(new) + 1:
            new.append(report)
            if isinstance(report, ResultReport):
                break
    return new


class _Changes:
    """What a batch changes in its agent and task, gathered into one update of each."""

    def __init__(self, tx: Transaction, pair: Pair, budgets: Budgets) -> None:
        self._tx = tx
        self._budgets = budgets
        self._task, self._agent = pair
        self._log_seq: int = self._task.log_seq
        self._usage: list[UsageReport] = []
        self._of_agent: dict[str, Any] = {"heartbeat_ms": tx.now_ms}
        self._of_task: dict[str, Any] = {}

    def apply(self, report: Report | UnknownReport) -> None:
        match report:
            case LogReport():
                self._line(report)
            case UsageReport():
                self._usage.append(report)
            case FilesReport():
                self._of_agent["files"] = to_json(report.paths).decode()
            case ProgressReport():
                self._progress(report)
            case SessionReport():
                self._tx.add(schema.sessions, {
                    "task_id": self._task.id, "attempt": self._agent.attempt, "n": report.n,
                    "session_id": report.session_id, "entries": to_json(report.entries).decode(),
                })  # fmt: skip
            case ResultReport():
                self._of_agent["turns"] = max(report.turns, self._agent.turns)

    def store(self, stored_n: int) -> bool:
        """Whether the task changed, too."""
        for report in self._usage:
            self._of_agent.update(added(self._agent, self._of_agent, report, "reported"))
            self._of_task.update(added(self._task, self._of_task, report, "reported"))
        cost = sum(report.cost_micro_usd for report in self._usage)
        if cost:
            self._spend(cost)
        if self._log_seq != self._task.log_seq:
            self._of_task["log_seq"] = self._log_seq
        change_agent(self._tx, self._agent.id, stored_n=stored_n, **self._of_agent)
        if self._of_task:
            change_task(self._tx, self._task.id, **self._of_task)
        if cost and self._task.cost_micro_usd + cost >= self._task.budget_micro_usd:
            stop_for(self._tx, load_agent(self._tx, self._agent.id), "budget")
        return bool(self._of_task)

    def _spend(self, cost: int) -> None:
        """What the worker says it cost, where no gateway counts: all that can be done then is to stop in time."""
        self._budgets.charge(self._tx, self._task, cost)
        self._of_agent["reserved_micro_usd"] = max(0, self._agent.reserved_micro_usd - cost)

    def _line(self, report: LogReport) -> None:
        self._log_seq += 1
        self._tx.line({
            "task_id": self._task.id,
            "seq": self._log_seq,
            "agent_id": self._agent.id,
            "stream": report.stream,
            "text": report.text,
            "at_ms": report.at_ms,
            "elapsed_ms": report.elapsed_ms,
            "data": to_json(report.data).decode() if report.data is not None else None,
        })  # fmt: skip

    def _progress(self, report: ProgressReport) -> None:
        told = {
            "turns": report.turns,
            "last_tool": report.last_tool,
            "cpu_percent": report.cpu_percent,
            "rss_mb": report.rss_mb,
        }
        self._of_agent.update({name: value for name, value in told.items() if value is not None})
        if report.session_id is not None:
            self._of_task["session_id"] = report.session_id


def _end(tx: Transaction, pair: Pair, report: ResultReport) -> None:
    if report.patch is not None:
        tx.execute(schema.patches.delete().where(schema.patches.c.task_id == pair.task.id))
        tx.add(schema.patches, {"task_id": pair.task.id, "patch": report.patch.encode()})
    error = None
    if report.error_code:
        error = ErrorOut(code=report.error_code, message=report.error_message or report.error_code)
    result = Result(
        status=report.status,
        summary=report.summary,
        error=error,
        branch=report.branch,
        base_commit=report.base_commit,
        commit=report.commit,
        files_changed=report.files_changed,
        additions=report.additions,
        deletions=report.deletions,
        duration_ms=report.duration_ms,
        turns=report.turns,
    )
    if hub_delivers(pair.task, pair.agent):
        stage(tx, pair, result)
    else:
        settle(tx, pair, result)
