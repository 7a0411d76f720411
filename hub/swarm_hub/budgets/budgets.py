"""What may be spent and what is: read for whoever starts agents, written for whoever spends."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, exists, func, select, text

from swarm_api.base import CENT
from swarm_hub.budgets.limits import Limits, read_limits
from swarm_hub.budgets.lines import ALL, Line, Spans, State, draw_lines
from swarm_hub.budgets.outlook import Outlook, labels_of
from swarm_hub.budgets.spans import quarter, span_of
from swarm_hub.gateway.usage_limits import limited_until
from swarm_hub.spent import MOST
from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads, Transaction

a, la = schema.agents.c, schema.labels.c
_LABELS = select(schema.LABEL).where(la.task_id == bindparam("task"))
_HELD = select(func.coalesce(func.sum(a.held_micro_usd), 0)).where(a.reserved_micro_usd > 0)
_HELD_WITH_LABEL = _HELD.where(exists().where(la.task_id == a.task_id, bindparam("label") == schema.LABEL))
# Workers may claim any amount: what is more than anybody has would, added up, be more than the database keeps.
_ADD = text(
    "INSERT INTO spent (quarter, label, micro_usd) VALUES (:quarter, :label, :micro_usd)"
    " ON CONFLICT (quarter, label) DO UPDATE SET micro_usd = min(:most, spent.micro_usd + excluded.micro_usd)"
).bindparams(most=MOST)
_EVENTS = {"warning": "budget_warning", "exceeded": "budget_exceeded"}


@dataclass(frozen=True)
class Budgets:
    """`environment`: the limits of the settings. `free`: agents cost nothing, so that nothing is set aside."""

    zone: ZoneInfo
    environment: Limits
    free: bool = False

    def limits(self, reads: Reads) -> Limits:
        """Those that hold now."""
        return read_limits(reads, self.environment)

    def lines(self, reads: Reads, now_ms: int, labels: Collection[str] | None = None) -> list[Line]:
        """The limits that hold for tasks with `labels`; None: all there are."""
        limits = self.limits(reads)
        spans = Spans(span_of("day", now_ms, self.zone), span_of("week", now_ms, self.zone))
        limited = [each.label for each in limits.labels if labels is None or each.label in labels]
        return draw_lines(reads, limits, spans, now_ms, limited)

    def outlook(self, reads: Reads, now_ms: int) -> Outlook:
        if self.free:
            return Outlook([])
        return Outlook(self.lines(reads, now_ms), limited_until(reads, now_ms))

    def bears(self, tx: Transaction, task: Any, hold: int) -> bool:
        """Whether a call may cost so much: what was set aside does not count where a limit was lowered since."""
        lines = self.lines(tx, tx.now_ms, labels_of(task))
        return all(line.spent + _held(tx, line) + hold <= line.limit for line in lines)

    def charge(self, tx: Transaction, task: Any, cost: int) -> None:
        """Book what a task spent now, and journal the limits that it reached or came near to."""
        if cost <= 0:
            return
        labels = tx.execute(_LABELS, {"task": task.id}).scalars().all()
        lines = self.lines(tx, tx.now_ms, labels)
        for label in (ALL, *labels):
            tx.execute(_ADD, {"quarter": quarter(tx.now_ms), "label": label, "micro_usd": min(cost, MOST)})
        for line in lines:
            tell(tx, replace(line, spent=line.spent + cost), line.state())
        _tell_of_task(tx, task, cost)
        tx.notices.money = True


def _held(tx: Transaction, line: Line) -> int:
    """For calls that are open and count against a limit."""
    held = tx.execute(_HELD_WITH_LABEL, {"label": line.label}) if line.label else tx.execute(_HELD)
    return int(held.scalar_one())


def tell(tx: Transaction, line: Line, before: State) -> None:
    """Journal that a limit is reached or near, if it is not what it was before."""
    state = line.state()
    if state in ("ok", before):
        return
    whose: dict[str, Any] = {"label": line.label} if line.label else {}
    tx.event(_EVENTS[state], None, {  # type: ignore[arg-type]  # one of two event types
        "scope": line.scope, **whose, "limitCents": line.limit // CENT,
        "spentCents": line.spent // CENT,
    })  # fmt: skip


def _tell_of_task(tx: Transaction, task: Any, cost: int) -> None:
    """Near the end of its own budget; that it is spent is told when its agent is refused."""
    budget, spent = task.budget_micro_usd, task.cost_micro_usd
    if 5 * spent < 4 * budget <= 5 * (spent + cost):
        tx.event("budget_warning", task.id, {
            "scope": "task", "limitCents": budget // CENT, "spentCents": (spent + cost) // CENT,
        })  # fmt: skip
