"""Budgets: what may be spent, what is, and what is set aside for agents that run."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from swarm_api.base import Answer, Cents, Model, Timestamp

Period = Literal["day", "week"]
BudgetState = Literal["ok", "warning", "exceeded"]
_PAIR = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}=[^\x00]{0,256}$"
LabelPair = Annotated[str, StringConstraints(pattern=_PAIR), Field(description="`key=value`")]


class Standing(Answer):
    """How a limit stands. What is reserved is set aside for agents that run, in full, whatever day they began.

    `forecast_cents`: what the period will have spent by its end, at the pace of the last hour. `state`: `warning` from
    80 % of the limit spent, `exceeded` when all of it is.
    """

    limit_cents: int
    spent_cents: int
    reserved_cents: int
    remaining_cents: int
    forecast_cents: int
    spent_micro_usd: int
    reserved_micro_usd: int
    resets_at: Timestamp
    state: BudgetState


class LabelStanding(Standing):
    label: str
    period: Period


class Budget(Answer):
    """Days and weeks (from Monday) of `time_zone`. `state` is the worst of all. `waiting`: tasks without room."""

    daily: Standing
    weekly: Standing
    labels: list[LabelStanding]
    state: BudgetState
    waiting: int
    time_zone: str
    seq: int


class LabelLimit(Model):
    """A limit on what tasks with a label may spend together."""

    label: LabelPair
    limit_cents: Cents
    period: Period = "day"


class BudgetIn(Model):
    """New limits. What is left out stays as it is; `labels` are all there are from now on."""

    daily_cents: Cents | None = None
    weekly_cents: Cents | None = None
    labels: Annotated[list[LabelLimit], Field(max_length=200)] | None = None
