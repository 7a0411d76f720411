"""Keeps what a process knows from other processes of the same user."""

import ctypes
import os
import resource
import sys

PR_SET_DUMPABLE = 4


def seal() -> None:
    """On Linux nobody but root can read our memory and environment, or trace us; no core file is written.

    By `exec` a process becomes readable again, so that holds for this one alone. That there are no core files holds
    for all it starts too.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def blot(name: str) -> None:
    """Overwrite a variable's value where `/proc/…/environ` and `ps` read it; `os.environ` keeps its own copy."""
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    if name in os.environ and (address := libc.getenv(name.encode())):
        ctypes.memset(address, 0, len(os.fsencode(os.environ[name])))
