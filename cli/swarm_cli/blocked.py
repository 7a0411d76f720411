"""Why a task waits, in words. Works on the API's JSON, without models."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swarm_api.ids import short
from swarm_cli import look
from swarm_cli.screen import first_line, safe

Json = Mapping[str, Any]

MONEY, LIMIT = "budget", "usage_limit"
_SHORT = {MONEY: "money", LIMIT: "usage limit"}
_FOR = {
    MONEY: "for money", LIMIT: "for the model's usage limit", "capacity": "for a free place",
    "conflict": "for a conflict", "hold": "on hold",
}  # fmt: skip

# How the hub says what is short: "the day's budget has $0.69 of $5.00 left, and it needs $2.30",
# "it needs $2.00, and the budget of team=web is $1.00 in all".
_LEFT = re.compile(r"(?P<whose>.*) has (?P<left>\$\S+) of \$\S+ left, and it needs (?P<need>\$\S+)", re.DOTALL)
_NEVER = re.compile(r"it needs (?P<need>\$\S+), and (?P<whose>.*) is (?P<limit>\$\S+) in all", re.DOTALL)
_FLAGS = {"the day's budget": "--daily …", "the week's budget": "--weekly …"}


def brief(blocked: Json) -> str:
    """For a column: the amounts or the reason, and how long at least."""
    for_ = look.left(blocked["until"]) if blocked.get("until") else ""
    if blocked["reason"] == MONEY and (amounts := _amounts(blocked["detail"])):
        return f"{amounts} · more in {for_}" if for_ else amounts
    what = _SHORT.get(blocked["reason"], safe(blocked["reason"]))
    return f"{what}{f' for {for_}' if for_ else ''}: {first_line(blocked['detail'])}"


def told(blocked: Json) -> str:
    """For a page: what it waits for, why, and how long at least."""
    what = _FOR.get(blocked["reason"], safe(blocked["reason"]))
    until = f" {look.until(blocked['until'])}" if blocked.get("until") else ""
    return f"{what}{until}: {first_line(blocked['detail'])}"


def after(task: Json) -> str:
    """The tasks that must complete before it."""
    return f"after {' '.join(short(wanted) for wanted in task['dependsOn'])}"


def on_money(task: Json) -> Json | None:
    """Why it waits, if that is money or a usage limit: what a start by hand would fail for, too."""
    return next((blocked for blocked in task.get("blockedBy") or () if blocked["reason"] in _SHORT), None)


def ways_on(blocked: Json) -> Iterator[str]:
    """The commands that show what such a task waits for, and that make room for it."""
    yield "swarm budget"
    if blocked["reason"] == MONEY:
        found = _LEFT.fullmatch(blocked["detail"]) or _NEVER.fullmatch(blocked["detail"])
        yield f"swarm budget set {_flag(found['whose']) if found else '--daily …'}"


def _flag(whose: str) -> str:
    import shlex  # late: it is seldom needed

    label = whose.removeprefix("the budget of ")
    return _FLAGS.get(whose) or f"--label {safe(shlex.quote(label))}=…"


def _amounts(detail: str) -> str:
    if found := _LEFT.fullmatch(detail):
        return safe(f"needs {found['need']}, {found['left']} left")
    if found := _NEVER.fullmatch(detail):
        return safe(f"needs {found['need']}, limit {found['limit']}")
    return ""
