"""Each limit beside what is spent of it and what is set aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import bindparam, func, select

from swarm_api.base import CENT
from swarm_hub.budgets.limits import Limits
from swarm_hub.budgets.spans import QUARTER_MS, Span, quarter
from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads

LATELY = 4  # whole quarters of an hour, and the one that runs: what a forecast goes by

Scope = Literal["daily", "weekly", "label"]
State = Literal["ok", "warning", "exceeded"]

s, a, la = schema.spent.c, schema.agents.c, schema.labels.c
_SPENT = (
    select(
        s.label,
        func.sum(s.micro_usd).filter(s.quarter >= bindparam("day")),
        func.sum(s.micro_usd).filter(s.quarter >= bindparam("week")),
        func.sum(s.micro_usd).filter(s.quarter >= bindparam("lately")),
    )
    .where(s.quarter >= bindparam("first"), s.label.in_(bindparam("labels", expanding=True)))
    .group_by(s.label)
)
_RESERVED = select(func.coalesce(func.sum(a.reserved_micro_usd), 0)).where(a.reserved_micro_usd > 0)
_RESERVED_BY_LABEL = (
    select(schema.LABEL, func.sum(a.reserved_micro_usd))
    .join(schema.labels, la.task_id == a.task_id)
    .where(a.reserved_micro_usd > 0, schema.LABEL.in_(bindparam("labels", expanding=True)))
    .group_by(la.key, la.value)
)
ALL = ""  # the label that everything has


@dataclass(frozen=True)
class Line:
    """One limit. Amounts are micro-dollars; `label` is empty for what holds for all tasks."""

    scope: Scope
    label: str
    span: Span
    limit: int
    spent: int
    reserved: int
    lately: int = 0  # spent in the last hour
    lately_ms: int = QUARTER_MS * LATELY  # how long that is

    @property
    def left(self) -> int:
        """What may be set aside now. Below zero where a limit was lowered."""
        return self.limit - self.spent - self.reserved

    @property
    def most(self) -> int:
        """What could be set aside if all that is were given back unspent."""
        return self.limit - self.spent

    def forecast(self, now_ms: int) -> int:
        """What will be spent at its end, at the pace of the last hour."""
        return self.spent + self.lately * max(0, self.span.end_ms - now_ms) // self.lately_ms

    def state(self) -> State:
        if self.spent >= self.limit:
            return "exceeded"
        return "warning" if 5 * self.spent >= 4 * self.limit else "ok"


class Spans(NamedTuple):
    day: Span
    week: Span


class _Spent(NamedTuple):
    day: int = 0
    week: int = 0
    lately: int = 0


def draw_lines(reads: Reads, limits: Limits, spans: Spans, now_ms: int, labels: Sequence[str]) -> list[Line]:
    """The day's line, the week's, and those of the limits on `labels`, in this order."""
    spent = _spent(reads, [ALL, *labels], spans, now_ms)
    everything = spent.get(ALL, _Spent())
    reserved = reads.execute(_RESERVED).scalar_one()
    lately_ms = now_ms - (quarter(now_ms) - LATELY) * QUARTER_MS
    by_label = _reserved_by_label(reads, labels) if labels else {}

    def line(scope: Scope, label: str, span: Span, cents: int, of: _Spent, set_aside: int) -> Line:
        spent_of = of.day if span == spans.day else of.week
        return Line(scope, label, span, cents * CENT, spent_of, set_aside, of.lately, lately_ms)

    return [
        line("daily", ALL, spans.day, limits.daily_cents, everything, reserved),
        line("weekly", ALL, spans.week, limits.weekly_cents, everything, reserved),
        *(
            line(
                "label", each.label, spans.day if each.period == "day" else spans.week, each.limit_cents,
                spent.get(each.label, _Spent()), by_label.get(each.label, 0),
            )
            for each in limits.labels if each.label in labels
        ),
    ]  # fmt: skip


def _spent(reads: Reads, labels: Sequence[str], spans: Spans, now_ms: int) -> Mapping[str, _Spent]:
    day, week, lately = quarter(spans.day.begin_ms), quarter(spans.week.begin_ms), quarter(now_ms) - LATELY
    since = {"day": day, "week": week, "lately": lately, "first": min(week, lately), "labels": list(labels)}
    rows: Any = reads.execute(_SPENT, since).all()
    return {row[0]: _Spent(*(sum_ or 0 for sum_ in row[1:])) for row in rows}


def _reserved_by_label(reads: Reads, labels: Sequence[str]) -> Mapping[str, int]:
    rows: Any = reads.execute(_RESERVED_BY_LABEL, {"labels": list(labels)}).all()
    return {row[0]: row[1] for row in rows}
