"""`swarm metrics`: a day, a week or a month in figures."""

import os
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from swarm_cli import look
from swarm_cli.options import AsJson, Url
from swarm_cli.reading import connect, show_json
from swarm_cli.screen import Screen, cells, fit, safe, write
from swarm_cli.table import tabbed

_BAR = 24  # columns of the longest bar
_PARTS = " ▏▎▍▌▋▊▉█"
_MOST = 8  # rows of each group
_NAME = 32  # columns of the longest name
_BEFORE = {"day": "yesterday", "week": "the week before", "month": "the month before"}


def metrics(
    period: Annotated[Literal["day", "week", "month"], typer.Option(help="The one that is now.")] = "day",
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """What was done and spent in a day, a week from Monday, or a month."""
    screen = Screen.of(sys.stdout, os.environ)
    answer = connect(url, os.environ).get("metrics", period=period)
    if as_json:
        return show_json(answer)
    for line in page(answer, screen) if screen.terminal else tabbed(_values(answer)):
        write(line)
    return None


def _values(answer: Any) -> Iterator[tuple[str, ...]]:
    """A row for each step of the period."""
    for point in answer["series"]:
        yield (point["at"], *(str(point[name]) for name in (*_OUTCOMES, "costMicroUsd")))


def page(answer: Any, screen: Screen) -> Iterator[str]:
    """Facts, a bar for each step of the period, and one for each model, type and repository."""
    facts = _facts(answer)
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        yield f"{screen.paint('dim', name)}{' ' * (width - len(name))}{value}"
    zone = ZoneInfo(answer["timeZone"])
    steps = {_moment(point["at"], zone, answer["period"]): point for point in answer["series"]}
    yield from _chart("when", steps, screen)
    for title, groups in (("model", "byModel"), ("type", "byType"), ("repository", "byRepo")):
        by_cost = sorted(answer[groups].items(), key=lambda item: (-item[1]["costMicroUsd"], item[0]))
        shown = {safe(name) or "(scratch)": group for name, group in by_cost[:_MOST]}
        yield from _chart(title, shown, screen)


def _facts(answer: Any) -> dict[str, str]:
    totals, before = answer["totals"], answer["previous"]["totals"]
    zone = ZoneInfo(answer["timeZone"])
    first, end = (look.moment(answer[name]).astimezone(zone) for name in ("from", "to"))
    last = end - timedelta(seconds=1)
    rate, durations = answer["successRate"], answer["durationMs"]
    tokens = totals["input"] + totals["cacheRead"] + totals["cacheWrite5m"] + totals["cacheWrite1h"]
    days = f"{first:%Y-%m-%d}" if answer["period"] == "day" else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    was = f"{_BEFORE[answer['period']]} {look.money(before['costMicroUsd'])}"
    return {
        answer["period"]: f"{days} ({zone.key})",
        "spent": f"{look.money(totals['costMicroUsd'])} ({was})",
        "tasks": ", ".join(f"{totals[name]:,} {word}" for name, word in _OUTCOMES.items()),
        "success": "–" if rate is None else f"{rate:.0%}",
        "duration": "–" if durations["p50"] is None else ", ".join(
            f"{name} {look.duration(durations[name] / 1000)}" for name in ("p50", "p95")
        ),
        "tokens": f"{look.count(tokens)} in, {look.count(totals['output'])} out, {totals['requests']:,} requests",
        "now": f"{look.plural(answer['activeTasks'], 'active task')}, {look.plural(answer['runningAgents'], 'agent')}",
    }  # fmt: skip


_OUTCOMES = {"tasks": "submitted", "completed": "completed", "failed": "failed", "cancelled": "cancelled"}


def _chart(title: str, rows: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """A bar for the cost of each. Nothing when nothing was spent or done."""
    if not any(row["costMicroUsd"] or row.get("tasks") for row in rows.values()):
        return
    most = max(row["costMicroUsd"] for row in rows.values()) or 1
    width = min(_NAME, max(map(cells, rows)))
    yield ""
    yield screen.paint("dim", f"by {title}" if title != "when" else "spent")
    for name, row in rows.items():
        shown = fit(name, width)
        bar = _bar(row["costMicroUsd"] / most)
        tasks = look.plural(row["tasks"], "task") if row.get("tasks") else ""
        cost = f"{look.money(row['costMicroUsd']):>9}"
        padding = " " * (width - cells(shown))
        yield f"{shown}{padding}  {screen.paint('cyan', bar)}{' ' * (_BAR - len(bar))} {cost}  {tasks}".rstrip()


def _bar(part: float) -> str:
    eighths = round(part * _BAR * 8)
    return "█" * (eighths // 8) + _PARTS[eighths % 8].strip()


def _moment(at: str, zone: ZoneInfo, period: str) -> str:
    when: datetime = look.moment(at).astimezone(zone)
    return f"{when:%H:%M}" if period == "day" else f"{when:%a %d}"
