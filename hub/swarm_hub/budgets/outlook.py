"""What a task that could start is up against: limits on money, and those of the model's provider."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from swarm_api.base import dollars, from_ms
from swarm_api.tasks import Blocked
from swarm_hub.budgets.lines import Line

_PERIODS = {"daily": "the day's budget", "weekly": "the week's budget"}


@dataclass(frozen=True)
class Outlook:
    """At one moment. `limited_until`: when the model's provider lets new agents in again (epoch ms)."""

    lines: Sequence[Line]
    limited_until: int | None = None

    @property
    def holds_until(self) -> int:
        """When something of it changes by the passing of time alone (epoch ms)."""
        ends = [line.span.end_ms for line in self.lines]
        return min([*ends, *([self.limited_until] if self.limited_until else [])], default=2**62)

    def reasons(self, task: Any) -> list[Blocked]:
        """Why a task that could start does not start now."""
        return [*self._limited(), *self._short(need(task), labels_of(task))]

    def _limited(self) -> list[Blocked]:
        if self.limited_until is None:
            return []
        until = from_ms(-(-self.limited_until // 1000) * 1000)
        return [Blocked(reason="usage_limit", detail="the model's provider takes no more for now", until=until)]

    def _short(self, amount: int, labels: Collection[str]) -> list[Blocked]:
        mine = [line for line in self.lines if not line.label or line.label in labels]
        short = [line for line in mine if amount > max(0, line.left)]
        if not short:
            return []
        worst = max(short, key=lambda line: (amount > line.most, line.span.end_ms))
        return [_blocked(worst, amount)]


def need(task: Any) -> int:
    """What is set aside for an agent of a task: what is left of the task's own budget."""
    return max(0, int(task.budget_micro_usd) - int(task.cost_micro_usd))


def labels_of(task: Any) -> list[str]:
    """A task's labels as limits name them."""
    return [f"{key}={value}" for key, value in from_json(task.spec)["labels"].items()]


def _blocked(line: Line, amount: int) -> Blocked:
    """With a time where no agent's end can make room before it."""
    whose = _PERIODS.get(line.scope, f"the budget of {line.label}")
    if amount > line.limit:
        detail = f"it needs {dollars(amount)}, and {whose} is {dollars(line.limit)} in all"
        return Blocked(reason="budget", detail=detail)
    detail = f"{whose} has {dollars(line.left)} of {dollars(line.limit)} left, and it needs {dollars(amount)}"
    return Blocked(reason="budget", detail=detail, until=from_ms(line.span.end_ms) if amount > line.most else None)
