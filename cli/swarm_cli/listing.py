"""What `swarm status` does, apart from how its arguments are read."""

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from swarm_cli.reading import Hub, connect, show_json
from swarm_cli.screen import Screen, write
from swarm_cli.table import lines, tabbed
from swarm_cli.tasks import COLUMNS, page, row, values


class Wanted(NamedTuple):
    """Of one task, or of the recent ones that pass the filters."""

    task_id: str | None = None
    as_json: bool = False
    url: str | None = None
    filters: Mapping[str, Any] = {}


def show(wanted: Wanted, environ: Mapping[str, str]) -> None:
    """Ask the hub and write the answer. Raises what `faults.explain` knows."""
    hub = connect(wanted.url, environ)
    screen = Screen.of(sys.stdout, environ)
    if wanted.task_id is not None:
        return _one(hub, wanted.task_id, wanted.as_json, screen)
    return _recent(hub, wanted, screen)


def _one(hub: Hub, task_id: str, as_json: bool, screen: Screen) -> None:
    task = hub.get("tasks", task_id)
    if as_json:
        return show_json(task)
    for line in page(task, _agents(hub, [task]).get(task["id"]), screen):
        write(line)
    return None


def _recent(hub: Hub, wanted: Wanted, screen: Screen) -> None:
    answer = hub.get("tasks", **wanted.filters)
    tasks = answer["tasks"]
    if wanted.as_json:
        return show_json(answer)
    if not screen.terminal:
        for line in tabbed(values(task) for task in tasks):
            write(line)
        return None
    agents = _agents(hub, tasks)
    for line in lines(COLUMNS, [row(task, agents.get(task["id"])) for task in tasks], screen):
        write(line)
    _footer(len(tasks), answer["total"], screen)
    return None


def _agents(hub: Hub, tasks: list[Any]) -> dict[str, Any]:
    """The live agents by their task, asked for only when one is shown."""
    if not any(task["status"] == "running" for task in tasks):
        return {}
    return {agent["currentTask"]: agent for agent in hub.get("agents", active="true")["agents"]}


def _footer(shown: int, total: int, screen: Screen) -> None:
    if total == 0:
        write('No tasks yet. Hand one out: swarm submit -p "…"')
    elif shown == 0:
        write("No such tasks.")
    elif shown < total:
        write(screen.paint("dim", f"{shown} of {total:,}; more: swarm status --limit {min(200, total)}"))
