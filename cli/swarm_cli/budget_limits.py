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
    """Of `KEY=VALUE=DOLLARS`, with `/day` (the usual) or `/week` behind. Raises a usage `Fault`."""
    return [_parsed(text) for text in texts]


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
