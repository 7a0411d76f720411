"""Why a task waits, in words. Works on the API's JSON, without models."""

from collections.abc import Mapping
from typing import Any

from swarm_api.ids import short
from swarm_cli import look
from swarm_cli.screen import first_line, safe

Json = Mapping[str, Any]

_SHORT = {"budget": "money", "usage_limit": "limit"}
_FOR = {
    "budget": "for money", "usage_limit": "for the model's usage limit", "capacity": "for a free place",
    "conflict": "for a conflict", "hold": "on hold",
}  # fmt: skip


def brief(blocked: Json) -> str:
    """For a column: the reason, how long at least, and the rest."""
    what = _SHORT.get(blocked["reason"], safe(blocked["reason"]))
    until = f" until {look.clock(blocked['until'])}" if blocked.get("until") else ""
    return f"{what}{until}: {first_line(blocked['detail'])}"


def told(blocked: Json) -> str:
    """For a page: what it waits for, why, and how long at least."""
    what = _FOR.get(blocked["reason"], safe(blocked["reason"]))
    until = f" {look.until(blocked['until'])}" if blocked.get("until") else ""
    return f"{what}{until}: {first_line(blocked['detail'])}"


def after(task: Json) -> str:
    """The tasks that must complete before it."""
    return f"after {' '.join(short(wanted) for wanted in task['dependsOn'])}"
