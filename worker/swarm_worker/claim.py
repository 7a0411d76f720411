"""Asking the hub for the work: the first thing a worker does, and what makes its task `running`."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

from swarm_api.wire import Refused, Unreachable, Wire
from swarm_worker.backoff import delays

REFUSALS = frozenset({401, 403, 404, 409})
TICK = 0.1


class NotOurs(Exception):
    """Somebody else carries this agent, or nobody is to carry it any more."""


class Stopped(Exception):
    """The worker was told to end before it had any work."""


def claim(wire: Wire, agent_id: str, stopped: Callable[[], bool]) -> dict[str, Any]:
    """The work order, as JSON. A hub that is away is asked again until it answers. Raises `NotOurs`, `Stopped`.

    The incarnation tells two processes apart that carry the same agent; asked twice by one, the hub answers the same.
    """
    body = json.dumps({"incarnation": os.urandom(16).hex()}).encode()
    for delay in delays():
        _pause(delay, stopped)
        try:
            order: dict[str, Any] = wire.call("POST", f"/worker/v1/agents/{agent_id}/claim", body)
            return order
        except Unreachable:
            continue
        except Refused as refusal:
            if refusal.status in REFUSALS:
                raise NotOurs(str(refusal)) from refusal
    raise AssertionError("the delays never end")


def _pause(seconds: float, stopped: Callable[[], bool]) -> None:
    """In small steps: a signal handler that returns does not end a sleep."""
    deadline = time.monotonic() + seconds
    while not stopped() and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, TICK))
    if stopped():
        raise Stopped
