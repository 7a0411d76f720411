"""`swarm queue`: what waits, and for what."""

import os
import sys

from swarm_cli import look
from swarm_cli.options import AsJson, Url
from swarm_cli.reading import connect, show_json
from swarm_cli.screen import Screen, write


def queue(as_json: AsJson = False, url: Url = None) -> None:
    """What waits, and for what."""
    screen = Screen.of(sys.stdout, os.environ)
    answer = connect(url, os.environ).get("queue")
    if as_json:
        return show_json(answer)
    facts = {
        "running": f"{answer['running']} of {answer['capacity']}",
        "pending": _parts(answer["pending"], answer["byPriority"]),
        "ready": _parts(answer["ready"], {}),
        "blocked": _parts(sum(answer["blocked"].values()), answer["blocked"]),
        "oldest ready": look.duration(answer["oldestReadySeconds"]) if answer["ready"] else "–",
    }
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        padding = " " * (width - len(name))
        write(f"{screen.paint('dim', name)}{padding}{value}" if screen.terminal else f"{name}\t{value}")
    return None


def _parts(total: int, parts: dict[str, int]) -> str:
    named = ", ".join(f"{number} {name}" for name, number in parts.items() if number)
    return f"{total} ({named})" if named else str(total)
