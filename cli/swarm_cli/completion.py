"""Task ids for the shell's completion."""

import os

from swarm_api.config import BadConfig, hub_url
from swarm_api.errors import SwarmError
from swarm_api.ids import short
from swarm_cli.reading import Hub
from swarm_cli.tasks import title

_PATIENCE = 1.0  # seconds somebody at a prompt waits for a completion
_ENOUGH = 100
_HARMLESS = frozenset(".,-_/+@")  # typer spells a colon with a backslash for zsh


def task_ids(incomplete: str) -> list[tuple[str, str]]:
    """The short ids of recent tasks that begin so, each with its title. None when no hub answers at once."""
    try:
        tasks = Hub.of(hub_url(None, os.environ), os.environ, _PATIENCE).get("tasks", limit=_ENOUGH)["tasks"]
    except (BadConfig, SwarmError):
        return []
    form = (lambda task_id: task_id) if incomplete.startswith("tsk_") else short
    return [(name, harmless(title(task))) for task in tasks if (name := form(task["id"])).startswith(incomplete)]


def harmless(text: str) -> str:
    """Words alone. zsh evaluates what a completion says of itself, and typer's quoting misses backslashes."""
    return " ".join("".join(char if char.isalnum() or char in _HARMLESS else " " for char in text).split())
