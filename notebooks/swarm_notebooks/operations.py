"""How work goes: durations, waiting, success, retries, tools, conflicts, and what took longest."""

from datetime import date

import pandas as pd  # type: ignore[import-untyped]

from swarm_notebooks.charts import Estimate, Measure, estimates, lines, ranked, stacked
from swarm_notebooks.connection import Swarm
from swarm_notebooks.controls import SelectionControls
from swarm_notebooks.costs import by_day
from swarm_notebooks.intervals import share
from swarm_notebooks.panel import Panel, Shown
from swarm_notebooks.selection import Selection, rows_of
from swarm_notebooks.tables import Table
from swarm_notebooks.units import CALLS, DOLLARS, EVENTS, MICRO, MINUTES, SECONDS, SHARE, TASKS

NOTHING = "No task ended in this time yet."
_SLOWEST = 20


def durations(swarm: Swarm) -> Panel[Selection]:
    """How long tasks took, from their beginning to their end."""
    return Panel(
        SelectionControls(swarm, "tasks"), lambda selection: taken(swarm, selection, "duration_ms", "Duration")
    )


def waiting(swarm: Swarm) -> Panel[Selection]:
    """How long tasks waited until they began."""
    return Panel(SelectionControls(swarm, "tasks"), lambda selection: taken(swarm, selection, "waited_ms", "Waiting"))


def outcomes(swarm: Swarm) -> Panel[Selection]:
    """How tasks ended, how many succeeded, and how many took more than one attempt."""
    return Panel(SelectionControls(swarm, "tasks"), lambda selection: ended(swarm, selection))


def tools(swarm: Swarm) -> Panel[Selection]:
    """Which tools agents used, how often they failed, and how long they took."""
    return Panel(SelectionControls(swarm, "tasks", group=False), lambda selection: used(swarm, selection))


def conflicts(swarm: Swarm) -> Panel[Selection]:
    """Conflicts between agents, as the journal tells of them."""
    return Panel(SelectionControls(swarm, "tasks", group=False), lambda selection: collided(swarm, selection))


def slowest(swarm: Swarm) -> Panel[Selection]:
    """The tasks that took longest."""
    return Panel(SelectionControls(swarm, "tasks", group=False), lambda selection: longest(swarm, selection))


def taken(swarm: Swarm, selection: Selection, column: str, name: str) -> Shown:
    """Half took at most the median; 19 of 20 at most the 95th percentile."""
    rows = rows_of("tasks", selection)
    quantiles = f"count({column}) AS tasks, quantile_cont({column}, [0.5, 0.95]) AS q FROM {rows.sql}"
    where = f"WHERE {column} IS NOT NULL GROUP BY 1"
    days = swarm.query(f"SELECT on_day, {quantiles} {where} ORDER BY 1", rows.params)
    if days.empty:
        return Shown(note=NOTHING)
    keys = swarm.query(f"SELECT key, {quantiles} {where} ORDER BY tasks DESC, 1", rows.params)
    series = {"half of the tasks": _quantile(days, 0), "19 of 20": _quantile(days, 1)}
    table = pd.DataFrame(
        {
            selection.group.removeprefix("label:"): keys["key"],
            "tasks": keys["tasks"],
            "half took at most": [q[0] / 1000 for q in keys["q"]],
            "19 of 20 at most": [q[1] / 1000 for q in keys["q"]],
        }
    )
    units = {"tasks": TASKS, "half took at most": SECONDS, "19 of 20 at most": SECONDS}
    return Shown([lines(f"{name} of tasks, by the day of their end", series, MINUTES)], Table(table, units))


def _quantile(days: pd.DataFrame, at: int) -> dict[date, float]:
    return {day: q[at] / 60_000 for day, q in zip(days["on_day"], days["q"], strict=True)}


def ended(swarm: Swarm, selection: Selection) -> Shown:
    rows = rows_of("tasks", selection)
    days = swarm.query(
        f"SELECT coalesce(result, status) AS key, on_day, count(*) AS tasks FROM {rows.sql}"
        " GROUP BY ALL ORDER BY on_day",
        rows.params,
    )
    if days.empty:
        return Shown(note=NOTHING)
    keys = swarm.query(
        f"""
        SELECT key, count(*) AS tasks, count(*) FILTER (status = 'completed') AS completed,
               count(*) FILTER (status = 'failed') AS failed, count(*) FILTER (attempts > 1) AS retried
        FROM {rows.sql} GROUP BY 1 ORDER BY 2 DESC, 1
    """,
        rows.params,
    )
    keys["key"] = keys["key"].fillna("(none)")
    success = {
        row.key: found for row in keys.itertuples() if (found := share(row.completed, row.completed + row.failed))
    }
    again = {row.key: found for row in keys.itertuples() if (found := share(row.retried, row.tasks))}
    table = pd.DataFrame(
        {
            selection.group.removeprefix("label:"): keys["key"],
            "tasks": keys["tasks"],
            "completed": keys["completed"],
            "failed": keys["failed"],
            "success": [_rate(success.get(key)) for key in keys["key"]],
            "more than one attempt": keys["retried"],
        }
    )
    units = {**dict.fromkeys(("tasks", "completed", "failed", "more than one attempt"), TASKS), "success": SHARE}
    measures = [Measure("succeeded", SHARE, success), Measure("took more than one attempt", SHARE, again)]
    pictures = [stacked("How tasks ended", by_day(days, "tasks", 1), TASKS)]
    return Shown(
        [*pictures, estimates("Success and retries, with 95 % intervals", [m for m in measures if m.estimates])],
        Table(table, units),
    )


def _rate(found: Estimate | None) -> float | None:
    return found.value if found else None


def used(swarm: Swarm, selection: Selection) -> Shown:
    rows = rows_of("tasks", selection)
    found = swarm.query(
        f"""
        SELECT tool, count(*) AS calls, count(*) FILTER (failed) AS failed, median(duration_ms) / 1000 AS took
        FROM tool_calls WHERE task_id IN (SELECT task_id FROM {rows.sql}) GROUP BY 1 ORDER BY 2 DESC, 1
    """,
        rows.params,
    )
    if found.empty:
        return Shown(note="No agent told of a tool in this time.")
    table = pd.DataFrame(
        {
            "tool": found["tool"],
            "calls": found["calls"],
            "failed": found["failed"],
            "failed share": found["failed"] / found["calls"],
            "half took at most": found["took"],
        }
    )
    units = {"calls": CALLS, "failed": CALLS, "failed share": SHARE, "half took at most": SECONDS}
    bars = [(tool, float(calls)) for tool, calls in zip(found["tool"], found["calls"], strict=True)]
    failed = [float(value) for value in found["failed"]]
    return Shown([ranked("Calls of tools (hatched: they failed)", bars, CALLS, failed)], Table(table, units))


def collided(swarm: Swarm, selection: Selection) -> Shown:
    rows = rows_of("tasks", selection)
    found = swarm.query(
        f"""
        SELECT type AS key, CAST(happened_at AS DATE) AS on_day, count(*) AS events FROM events
        WHERE type LIKE 'conflict_%' AND task_id IN (SELECT task_id FROM {rows.sql}) GROUP BY ALL ORDER BY 2
    """,
        rows.params,
    )
    if found.empty:
        return Shown(note="The journal tells of no conflict in this time.")
    return Shown([stacked("Conflicts", by_day(found, "events", 1), EVENTS)])


def longest(swarm: Swarm, selection: Selection) -> Shown:
    rows = rows_of("tasks", selection)
    found = swarm.query(
        f"""
        SELECT task_id, name, type, model, coalesce(repo, '(scratch)') AS repo, status, attempts,
               duration_ms / 1000 AS took, cost_micro_usd / {MICRO} AS dollars
        FROM {rows.sql} WHERE duration_ms IS NOT NULL ORDER BY duration_ms DESC, task_id LIMIT {_SLOWEST}
    """,
        rows.params,
    )
    if found.empty:
        return Shown(note=NOTHING)
    table = found.rename(columns={"took": "duration", "dollars": "US dollars", "repo": "repository"})
    bars = [(task, took / 60) for task, took in zip(found["task_id"], found["took"], strict=True)]
    units = {"attempts": TASKS, "duration": SECONDS, "US dollars": DOLLARS}
    return Shown([ranked("The longest tasks", bars, MINUTES)], Table(table, units))
