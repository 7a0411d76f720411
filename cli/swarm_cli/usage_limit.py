"""The limit of the model's provider, as a line of an overview. Works on the API's JSON, without models."""

from collections.abc import Iterable, Mapping
from typing import Any

from swarm_api.errors import Forbidden, NotFound
from swarm_cli import look
from swarm_cli.blocked import LIMIT
from swarm_cli.reading import Hub
from swarm_cli.screen import Screen, write

Json = Mapping[str, Any]
MANY = 200
"""Tasks to look through for one that knows until when."""


def show_limit(hub: Hub, screen: Screen) -> None:
    """What it holds up, if it does anything; nothing for those who may not know."""
    try:
        queue = hub.get("queue")
        waiting = hub.get("tasks", status="pending", limit=MANY)["tasks"] if held_up(queue) else []
    except (Forbidden, NotFound):
        return
    if said := told(queue, waiting):
        write(screen.paint("yellow", said))


def held_up(queue: Json) -> int:
    """How many tasks wait for it."""
    return int(queue["blocked"].get(LIMIT, 0))


def told(queue: Json, waiting: Iterable[Json]) -> str:
    """`usage limit until 21:31 UTC · 2 tasks wait`."""
    count = held_up(queue)
    if not count:
        return ""
    reasons = (blocked for task in waiting for blocked in task.get("blockedBy") or ())
    end = next((blocked["until"] for blocked in reasons if blocked["reason"] == LIMIT and blocked.get("until")), None)
    until = f" {look.until(end)}" if end else ""
    return f"usage limit{until} · {look.plural(count, 'task')} {'waits' if count == 1 else 'wait'}"
