"""The limits that hold: those of the environment, or those that an admin has set since."""

from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import delete, select

from swarm_api.base import CENT, dollars
from swarm_api.budget import BudgetIn, LabelLimit
from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads, Transaction

_KEPT = select(schema.hub.c.value).where(schema.hub.c.key == "budget")


@dataclass(frozen=True)
class Limits:
    daily_cents: int
    weekly_cents: int
    labels: tuple[LabelLimit, ...] = ()


def read_limits(reads: Reads, environment: Limits) -> Limits:
    """What an admin set holds until the environment says something else than it did then."""
    kept: Any = reads.execute(_KEPT).scalar()
    if kept is None:
        return environment
    kept = from_json(kept)
    given = {
        name: kept[name]
        for name, was in (("daily_cents", environment.daily_cents), ("weekly_cents", environment.weekly_cents))
        if kept["environment"][name] == was
    }
    return replace(environment, **given, labels=tuple(LabelLimit.model_validate(label) for label in kept["labels"]))


def forget_overruled(tx: Transaction, environment: Limits) -> list[str]:
    """What an admin set does not come back when the environment changes again. What holds instead, for the log."""
    kept = tx.execute(_KEPT).scalar()
    if kept is None:
        return []
    was, now = from_json(kept), keep_limits(tx, environment, BudgetIn())
    limits = (("day", was["daily_cents"], now.daily_cents), ("week", was["weekly_cents"], now.weekly_cents))
    return [
        f"the {period}'s budget is {dollars(cents * CENT)}, as the settings have changed since it was set to"
        f" {dollars(before * CENT)}"
        for period, before, cents in limits if before != cents
    ]  # fmt: skip


def keep_limits(tx: Transaction, environment: Limits, wish: BudgetIn) -> Limits:
    """Limits with a wish fulfilled, kept for this hub and those after it."""
    now = read_limits(tx, environment)
    given = {name: value for name, value in wish if value is not None and name != "labels"}
    new = replace(now, **given, labels=now.labels if wish.labels is None else tuple(wish.labels))
    kept = {
        "daily_cents": new.daily_cents,
        "weekly_cents": new.weekly_cents,
        "labels": [label.model_dump(by_alias=True) for label in new.labels],
        "environment": {"daily_cents": environment.daily_cents, "weekly_cents": environment.weekly_cents},
    }
    tx.execute(delete(schema.hub).where(schema.hub.c.key == "budget"))
    tx.add(schema.hub, {"key": "budget", "value": to_json(kept).decode()})
    return new
