"""Keeps the worker's secrets from what it starts, and makes it the parent of every orphan among its descendants."""

import ctypes
import sys

from swarm_api import sealing

PR_SET_CHILD_SUBREAPER = 36


def seal() -> None:
    """On Linux: no process of the same user can read our memory and environment; orphans below us become our children.

    A process becomes readable again by `exec`, so this holds for the worker alone. Root reads everything anyway.
    """
    sealing.blot("SWARM_WORKER_TOKEN")
    sealing.seal()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
