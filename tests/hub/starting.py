"""Starts that are refused: what a hub's process says, and the code it leaves with."""

import subprocess
from collections.abc import Mapping
from typing import NamedTuple

from hubs import PROGRAMS, START_LIMIT

CONFIG, BUSY = 78, 75  # sysexits.h: EX_CONFIG, EX_TEMPFAIL


class Refusal(NamedTuple):
    code: int
    said: list[str]


def refused_start(environment: Mapping[str, str], *arguments: str) -> Refusal:
    """Start a hub that will not start. What it said is lines on standard error."""
    hub = subprocess.run(
        [PROGRAMS / "swarm-hub", *arguments], env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=START_LIMIT, check=False,
    )  # fmt: skip
    assert hub.stdout == ""
    return Refusal(hub.returncode, hub.stderr.splitlines())


def assert_refused(environment: Mapping[str, str], code: int, *named: str) -> None:
    """It leaves with this code and one line, which names these things."""
    refusal = refused_start(environment)
    assert (refusal.code, len(refusal.said)) == (code, 1), refusal
    for name in named:
        assert name in refusal.said[0]
