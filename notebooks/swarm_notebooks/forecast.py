"""Where spending goes until the budget's week ends."""

from datetime import datetime, timedelta

from ipywidgets import HBox

from swarm_notebooks.charts import Way, towards
from swarm_notebooks.connection import Swarm
from swarm_notebooks.intervals import sums_ahead
from swarm_notebooks.panel import Panel, Shown
from swarm_notebooks.units import DOLLARS, MICRO

_WEEKS = 4  # that the forecast draws from


class NoControls:
    """Nothing to select."""

    def __init__(self) -> None:
        self.box = HBox()

    def selection(self) -> None:
        return None

    def on_change(self, changed: object) -> None:
        """Nothing changes."""


def forecast(swarm: Swarm) -> Panel[None]:
    """This week's spending against its limit."""
    return Panel(NoControls(), lambda _: expected(swarm))


def expected(swarm: Swarm) -> Shown:
    budget, now = swarm.budget(), swarm.now()
    weekly, daily = budget.weekly, budget.daily
    note = (
        f"Today {DOLLARS.text(daily.spent_micro_usd / MICRO)} of {DOLLARS.text(daily.limit_cents / 100)} is spent, this week"
        f" {DOLLARS.text(weekly.spent_micro_usd / MICRO)} of {DOLLARS.text(weekly.limit_cents / 100)}. At the pace of the"
        f" last hour the week ends at {DOLLARS.text(weekly.forecast_cents / 100)}."
    )
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    points = _spent(swarm, monday)
    points.append((now, points[-1][1]))
    way = Way(points, _ahead(swarm, now, monday, points[-1][1]), weekly.limit_cents / 100)
    return Shown([towards("Spend of this week, and where it goes", way, DOLLARS)], None, note)


def _spent(swarm: Swarm, monday: datetime) -> list[tuple[datetime, float]]:
    """The sum since Monday after each quarter of an hour, in dollars."""
    found = swarm.query(
        "SELECT quarter, spent_micro_usd AS spent FROM spending WHERE key IS NULL AND quarter >= CAST($monday AS TIMESTAMPTZ)"
        " ORDER BY quarter", {"monday": monday.isoformat()},
    )  # fmt: skip
    points, whole = [(monday, 0.0)], 0
    for quarter, spent in zip(found["quarter"], found["spent"], strict=True):
        whole += int(spent)
        points.append((quarter.to_pydatetime(), whole / MICRO))
    return points


def _ahead(swarm: Swarm, now: datetime, monday: datetime, spent: float) -> list[tuple[datetime, float, float, float]]:
    """From now on, the rest of today in proportion."""
    found = swarm.query(
        "SELECT day, sum(spent_micro_usd) AS spent FROM spending WHERE key IS NULL AND day >= CAST($first AS DATE)"
        " AND day < CAST($today AS DATE) GROUP BY day",
        {"first": (now - timedelta(weeks=_WEEKS)).date().isoformat(), "today": now.date().isoformat()},
    )  # fmt: skip
    if found.empty:
        return []
    days = [int(value) / MICRO for value in found["spent"]]
    days += [0.0] * (7 * _WEEKS - len(days))
    midnights = [monday + timedelta(days=n) for n in range(now.weekday() + 1, 8)]
    left = (midnights[0] - now) / timedelta(days=1)
    (today,) = sums_ahead(days, 1)
    start = tuple(spent + left * part for part in today)
    later = sums_ahead(days, len(midnights) - 1)
    ahead = [(now, spent, spent, spent), (midnights[0], *start)]
    for at, more in zip(midnights[1:], later, strict=True):
        ahead.append((at, *(first + part for first, part in zip(start, more, strict=True))))  # type: ignore[arg-type]
    return ahead  # type: ignore[return-value]
