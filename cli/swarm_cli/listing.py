"""What `swarm status` does, apart from how its arguments are read."""

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from swarm_api.errors import Forbidden, NotFound
from swarm_cli import task_id as task_ids
from swarm_cli.budget_page import today
from swarm_cli.reading import Hub, connect, show_json
from swarm_cli.screen import Screen, safe, write
from swarm_cli.table import lines, tabbed
from swarm_cli.tasks import page, table, values
from swarm_cli.usage_limit import show_limit

_LONGEST_PAGE = 200
_FLAGS = {"status": "--status", "type": "--type", "label": "--label", "q": "--search"}


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
    task_ids.check([task_id])
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
    shown = table(tasks, agents)
    for line in lines(shown.columns, shown.rows, screen):
        write(line)
    _footer(len(tasks), answer, wanted.filters, screen)
    if not any(wanted.filters.get(name) for name in _FLAGS):
        _money(hub, screen)
        show_limit(hub, screen)
    return None


def _agents(hub: Hub, tasks: list[Any]) -> dict[str, Any]:
    """The live agents by their task, asked for only when one is shown."""
    if not any(task["status"] == "running" for task in tasks):
        return {}
    return {agent["currentTask"]: agent for agent in hub.get("agents", active="true")["agents"]}


def _money(hub: Hub, screen: Screen) -> None:
    """What was spent today; nothing for those who may not know."""
    try:
        budget = hub.get("budget")
    except (Forbidden, NotFound):
        return
    for line in today(budget, screen):
        write(line)


def _footer(shown: int, answer: Any, filters: Mapping[str, Any], screen: Screen) -> None:
    total = answer["total"]
    if total == 0:
        write('No tasks yet. Hand one out: swarm submit -p "…"')
    elif shown == 0:
        write("No such tasks.")
    elif shown < total:
        more = f"; more: {_more(shown, answer, filters)}" if answer.get("nextCursor") else ""
        write(screen.paint("dim", safe(f"{shown} of {total:,}{more}")))


def _more(shown: int, answer: Any, filters: Mapping[str, Any]) -> str:
    """The command for a longer page, or for the next one where this is as long as pages are."""
    import shlex

    words = ["swarm", "status"]
    for name, flag in _FLAGS.items():
        values = filters.get(name) or []
        words += [word for value in ([values] if isinstance(values, str) else values) for word in (flag, value)]
    if shown >= _LONGEST_PAGE or filters.get("cursor"):
        limit = filters.get("limit")
        words += [*(["--limit", str(limit)] if limit else []), "--cursor", answer["nextCursor"]]
    else:
        words += ["--limit", str(min(_LONGEST_PAGE, answer["total"]))]
    return shlex.join(words)
