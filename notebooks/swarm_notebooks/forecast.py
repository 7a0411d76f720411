"""Where spending goes until the budget's week ends."""

from datetime import datetime, timedelta

from ipywidgets import HBox  # type: ignore[import-untyped]

from swarm_api.budget import Standing
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
        f"Today {_of(daily)} is spent, this week {_of(weekly)}."
        f" At the pace of the last hour the week ends at {DOLLARS.text(weekly.forecast_cents / 100)}."
    )
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    points = _spent(swarm, monday)
    points.append((now, points[-1][1]))
    way = Way(points, _ahead(swarm, now, monday, points[-1][1]), weekly.limit_cents / 100)
    return Shown([towards("Spend of this week, and where it goes", way, DOLLARS)], None, note)


def _of(standing: Standing) -> str:
    return f"{DOLLARS.text(standing.spent_micro_usd / MICRO)} of {DOLLARS.text(standing.limit_cents / 100)}"


def _spent(swarm: Swarm, monday: datetime) -> list[tuple[datetime, float]]:
    """The sum since Monday after each quarter of an hour, in dollars."""
    found = swarm.query(
        "SELECT quarter, spent_micro_usd AS spent FROM spending"
        " WHERE key IS NULL AND quarter >= CAST($monday AS TIMESTAMPTZ) ORDER BY quarter",
        {"monday": monday.isoformat()},
    )
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
    )
    if found.empty:
        return []
    days = [int(value) / MICRO for value in found["spent"]]
    days += [0.0] * (7 * _WEEKS - len(days))
    midnights = [monday + timedelta(days=n) for n in range(now.weekday() + 1, 8)]
    left = (midnights[0] - now) / timedelta(days=1)
    (today,) = sums_ahead(days, 1)
    start = (spent + left * today[0], spent + left * today[1], spent + left * today[2])
    later = sums_ahead(days, len(midnights) - 1)
    ahead = [(now, spent, spent, spent), (midnights[0], *start)]
    for at, (low, middle, high) in zip(midnights[1:], later, strict=True):
        ahead.append((at, start[0] + low, start[1] + middle, start[2] + high))
    return ahead
