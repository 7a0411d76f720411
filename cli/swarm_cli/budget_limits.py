"""The limits that somebody gives on the command line, as the API takes them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swarm_cli.dollars import cents
from swarm_cli.faults import wrong_usage

Limit = Mapping[str, Any]
_PAIR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}=[^\x00]{0,256}")  # as in a task's labels
_PERIODS = ("day", "week")


def parsed(texts: Iterable[str]) -> list[Limit]:
    """Of `KEY=VALUE=DOLLARS`, with `/day` (the usual) or `/week` behind, a label once. Raises a usage `Fault`."""
    limits: dict[str, Limit] = {}
    for limit in map(_parsed, texts):
        label = limit["label"]
        if label in limits:
            raise wrong_usage(f"--label: {label} is there twice; a label has one limit, for a day or for a week")
        limits[label] = limit
    return list(limits.values())


def _parsed(text: str) -> Limit:
    label, _, limit = text.rpartition("=")
    amount, sign, period = limit.partition("/")
    if not _PAIR.fullmatch(label) or (sign and period not in _PERIODS):
        raise wrong_usage(f"--label: {text!r} must look like team=web=10, or team=web=10/week")
    return {"label": label, "limitCents": cents(amount, f"--label {label}"), "period": period or "day"}


def merged(there: Iterable[Mapping[str, Any]], new: Sequence[Limit]) -> list[Limit]:
    """The limits there are, with new ones added, or in the place of those for the same label."""
    fields = ("label", "limitCents", "period")
    kept = [{field: limit[field] for field in fields} for limit in there]
    return list({limit["label"]: limit for limit in [*kept, *new]}.values())


def closed(wish: Mapping[str, Any], named: Sequence[Limit]) -> list[str]:
    """What to warn of: limits that were given and leave nothing to spend. A shell makes 0 of an unquoted $50."""
    told = []
    if 0 in (wish.get("dailyCents"), wish.get("weeklyCents")):
        told.append("nothing may be spent from now on: no agent starts")
    shut = [limit["label"] for limit in named if not limit["limitCents"]]
    return [*told, *(f"nothing may be spent on {label} from now on: no agent starts for it" for label in shut)]
