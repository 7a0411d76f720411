"""Keeps the worker's secrets from what it starts, and makes it the parent of every orphan among its descendants."""

import ctypes
import os
import sys

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


def seal() -> None:
    """On Linux: no process of the same user can read our memory and environment; orphans below us become our children.

    A process becomes readable again by `exec`, so this holds for the worker alone. Root reads everything anyway.
    """
    libc = ctypes.CDLL(None)
    _erase(libc, "SWARM_WORKER_TOKEN")
    if sys.platform == "linux":
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _erase(libc: ctypes.CDLL, name: str) -> None:
    """Overwrite the value where `/proc/…/environ` and `ps` read it; `os.environ` keeps its own copy."""
    libc.getenv.restype = ctypes.c_void_p
    if name in os.environ and (address := libc.getenv(name.encode())):
        ctypes.memset(address, 0, len(os.fsencode(os.environ[name])))
