"""What a worker is told when it is started: who it is, where its hub is, and the token it shows there."""

import fcntl
import json
import os
import sys
from collections.abc import MutableMapping
from typing import NamedTuple

COOKIE = "SWARM_AGENT"
"""The variable that every process of an agent inherits; its value is the agent's id, and strays are found by it."""


class BadLaunch(Exception):
    """The environment does not say what a worker needs."""


class Launch(NamedTuple):
    hub_url: str
    agent_id: str
    token: str


def read_launch(environ: MutableMapping[str, str]) -> Launch:
    """Take the launch out of the environment, so that nothing started later inherits it. Raises `BadLaunch`."""
    try:
        return Launch(environ.pop("SWARM_HUB_URL"), environ.pop("SWARM_AGENT_ID"), _token(environ))
    except (KeyError, ValueError, OSError) as error:
        raise BadLaunch(f"a worker is started by an executor, with its variables: {error}") from error


def _token(environ: MutableMapping[str, str]) -> str:
    if (number := environ.pop("SWARM_WORKER_TOKEN_FD", None)) is None:
        return environ.pop("SWARM_WORKER_TOKEN")
    with os.fdopen(int(number), "rb") as pipe:
        return pipe.read().decode().strip()


def take_lock(environ: MutableMapping[str, str]) -> None:
    """Say whose the inherited lock is, and keep it from our children: it lives exactly as long as this process.

    The executor writes the same into it, unless it dies first.
    """
    if (number := environ.pop("SWARM_LOCK_FD", None)) is None:
        return
    fd = int(number)
    fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    try:
        if os.fstat(fd).st_size == 0:
            os.pwrite(fd, json.dumps(_who()).encode(), 0)
    except OSError:
        pass  # the disk is full: whoever looks for us finds our cookie


def _who() -> dict[str, float]:
    who: dict[str, float] = {"pid": os.getpid()}
    if sys.platform == "linux":
        with open("/proc/self/stat", "rb") as stat:  # noqa: PTH123  # importing pathlib would delay the claim
            ticks = int(stat.read().rpartition(b")")[2].split()[19])  # field 22; the name in brackets may hold spaces
        who["startTime"] = ticks / os.sysconf("SC_CLK_TCK")
    return who
