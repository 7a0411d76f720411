"""Amounts that somebody types, in dollars. Exact: no binary fraction ever stands for money."""

import re

from swarm_cli.faults import wrong_usage

_AMOUNT = re.compile(r"\$?(?P<whole>[0-9]{1,8})(?:\.(?P<cents>[0-9]{1,2}))?", re.ASCII)
MOST = 10**9
"""Cents: what the hub takes as a limit or a budget."""


def cents(text: str, where: str) -> int:
    """The cents of `12`, `12.5` or `12.50`. Raises a usage `Fault` that begins with `where`."""
    found = _AMOUNT.fullmatch(text.strip())
    amount = int(found["whole"]) * 100 + int((found["cents"] or "0").ljust(2, "0")) if found else MOST + 1
    if amount > MOST:
        allowed = f"dollars from 0 to {MOST // 100}, with two decimals at most, as in 12.50"
        raise wrong_usage(f"{where}: {text!r} is no amount; allowed: {allowed}")
    return amount


def optional_cents(text: str | None, where: str) -> int | None:
    return None if text is None else cents(text, where)
