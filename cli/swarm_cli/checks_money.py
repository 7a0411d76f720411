"""Whether the hub's limits on money let it work."""

from collections.abc import Iterator, Mapping
from typing import Any

from swarm_api.config import BadConfig
from swarm_api.errors import SwarmError
from swarm_cli import look
from swarm_cli.check import Check
from swarm_cli.reading import Hub


def money_checks(url: str, environ: Mapping[str, str]) -> Iterator[Check]:
    """What keeps tasks waiting, or surprises. Nothing where the hub does not say, or not to us."""
    try:
        checks = list(_checks(Hub.of(url, environ).get("budget")))
    except (SwarmError, BadConfig, KeyError):
        return
    yield from checks


def _checks(budget: Any) -> Iterator[Check]:
    day, week = budget["daily"]["limitCents"], budget["weekly"]["limitCents"]
    if budget["state"] == "exceeded":
        mend = "swarm budget says which; swarm budget set raises it"
        yield Check("budget", "note", "a limit is spent, and the tasks that count for it wait", mend)
    if week < day:
        found = f"the week's limit, {look.dollars(week)}, is below the day's, {look.dollars(day)}"
        yield Check("budget", "note", found, "swarm budget set --weekly DOLLARS")
