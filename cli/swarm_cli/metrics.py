"""`swarm metrics`: a day, a week or a month in figures."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from swarm_cli import look
from swarm_cli.charts import Bar, Ink, Point, bars, column_width, columns, ink, spark
from swarm_cli.metrics_facts import facts
from swarm_cli.options import AsJson, Url
from swarm_cli.reading import connect, show_json
from swarm_cli.screen import Screen, cells, joined, safe, write
from swarm_cli.table import tabbed

_MOST = 8  # rows of each group
_GROUPS = {"model": "byModel", "type": "byType", "repository": "byRepo"}
_STEPS = {"day": "hour", "week": "day", "month": "day"}
_LABELS = {"day": "%H", "week": "%a %d", "month": "%d"}
_SPARK = "tasks"
_SERIES = ("tasks", "completed", "failed", "cancelled", "costMicroUsd")


def metrics(
    period: Annotated[Literal["day", "week", "month"], typer.Option(help="The one that is now.")] = "day",
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """What was done and spent in a day, a week from Monday, or a month, beside the one before."""
    screen = Screen.of(sys.stdout, os.environ)
    answer = connect(url, os.environ).get("metrics", period=period)
    if as_json:
        return show_json(answer)
    for line in page(answer, screen, ink(sys.stdout)) if screen.terminal else tabbed(_values(answer)):
        write(line)
    return None


def _values(answer: Any) -> Iterator[tuple[str, ...]]:
    """A row for each step of the period."""
    for point in answer["series"]:
        yield (point["at"], *(str(point[name]) for name in _SERIES))


def page(answer: Any, screen: Screen, ink: Ink) -> Iterator[str]:
    """Figures beside those before, a column for each step of the period, a bar for each model, type and repository."""
    yield from _head(answer, screen)
    yield ""
    yield from facts(answer, screen, ink)
    yield from _series(answer, screen, ink)
    yield from _groups(answer, screen, ink)


def _head(answer: Any, screen: Screen) -> Iterator[str]:
    zone = ZoneInfo(answer["timeZone"])
    first, end = (look.moment(answer[name]).astimezone(zone) for name in ("from", "to"))
    last = end - timedelta(seconds=1)
    days = f"{first:%Y-%m-%d}" if answer["period"] == "day" else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    active, running = look.plural(answer["activeTasks"], "active task"), look.plural(answer["runningAgents"], "agent")
    parts = [screen.paint("bold", f"{answer['period']} {days}") + f" ({zone.key})", f"now {active}, {running}"]
    yield from parts if cells("".join(parts)) > screen.width else joined(parts, screen, between="   ")


def _series(answer: Any, screen: Screen, ink: Ink) -> Iterator[str]:
    """What was spent in each step, and below it what was submitted. Nothing when nothing was."""
    series, step = answer["series"], _STEPS[answer["period"]]
    if not any(point["costMicroUsd"] or point["tasks"] for point in series):
        return
    zone = ZoneInfo(answer["timeZone"])
    points = [
        Point(f"{look.moment(point['at']).astimezone(zone):{_LABELS[answer['period']]}}", point["costMicroUsd"])
        for point in series
    ]
    yield ""
    yield f"{screen.paint('bold', 'spent')} per {step}"
    axis = _axis(max(point.value for point in points))
    yield from columns(points, axis, screen, ink)
    margin = cells(axis(0))
    tasks = [point["tasks"] for point in series]
    line = spark(tasks, column_width(len(tasks), margin, screen), ink)
    yield f"{screen.paint('bold', _SPARK)}{' ' * (margin + 2 - len(_SPARK))}{screen.paint('cyan', line)}"
    yield screen.paint("dim", f"{'':>{margin}}  submitted per {step}, {max(tasks):,} at most")


def _axis(most: float) -> Callable[[float], str]:
    """Dollars, all as wide as the largest; what is under a cent is told in full."""
    whole = most >= 10_000

    def text(value: float) -> str:
        return look.dollars(round(value / 10_000)) if whole else f"${value / 1_000_000:.6f}"

    width = max(len(text(most)), len(_SPARK))
    return lambda value: f"{text(value):>{width}}"


def _groups(answer: Any, screen: Screen, ink: Ink) -> Iterator[str]:
    """A bar for the cost of each in its group, dearest first, all to one scale."""
    shown = {title: _dearest(answer[groups]) for title, groups in _GROUPS.items()}
    drawn = bars([bar for group in shown.values() for bar in group], screen, ink)
    for title, group in shown.items():
        if not group:
            continue
        yield ""
        yield f"{screen.paint('bold', 'spent')} by {title}"
        yield from islice(drawn, len(group))
        if (more := len(answer[_GROUPS[title]]) - len(group)) > 0:
            yield screen.paint("dim", f"and {more} more: swarm metrics --json")


def _dearest(group: Any) -> list[Bar]:
    """None when nothing was spent or done."""
    if not any(row["costMicroUsd"] or row.get("tasks") for row in group.values()):
        return []
    by_cost = sorted(group.items(), key=lambda item: (-item[1]["costMicroUsd"], item[0]))
    total = sum(row["costMicroUsd"] for row in group.values())
    return [_bar(name, row, total) for name, row in by_cost[:_MOST]]


def _bar(name: str, row: Any, total: int) -> Bar:
    cost = row["costMicroUsd"]
    share = f"{cost / total:.0%}" if total else ""
    done = look.plural(row["tasks"], "task") if row.get("tasks") else ""
    done = done or (look.plural(row["requests"], "request") if row.get("requests") else "")
    return Bar(safe(name) or "(scratch)", cost, (look.money(cost), share, done))
