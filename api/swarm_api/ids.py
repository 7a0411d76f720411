"""Identifiers: short, sortable where order helps, and unique without asking anybody."""

import os
import re
import threading
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
TASK_ID = re.compile(rf"^tsk_[{ALPHABET}]{{16}}$")
AGENT_ID = re.compile(r"^[a-z]+-agent-[0-9a-f]{8}$")
API_KEY = re.compile(r"^sk_swarm_([a-z0-9]{6,16})_([A-Za-z0-9]{32,43})$")
"""An API key: its id, which may be shown, and its secret. It stays below the 72 bytes that bcrypt looks at."""
SHORT_LENGTH = 9

_EPOCH_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_TICKS_PER_MS = 16
_lock = threading.Lock()
_last_tick = 0


def new_task_id() -> str:
    """`tsk_` and 16 characters: nine of time, which never repeat within a process, and seven drawn for the process.

    Ids made later sort later, which keeps the primary key's inserts at one end of the index (random keys
    halve the rate of submissions). The nine of time are what people type as the short id.
    """
    global _last_tick
    with _lock:
        now = (time.time_ns() // 1_000_000 - _EPOCH_MS) * _TICKS_PER_MS
        _last_tick = tick = max(now, _last_tick + 1)
    return "tsk_" + _base32(tick, SHORT_LENGTH) + _OF_PROCESS


def task_id_at(at_ms: int, number: int, drawn: int) -> str:
    """The id of a task that is made up: as if it were the nth (from 0 to 15) submitted in a millisecond of the epoch.

    `drawn` stands for the process that did it.
    """
    tick = max(0, at_ms - _EPOCH_MS) * _TICKS_PER_MS + number
    return "tsk_" + _base32(tick, SHORT_LENGTH) + _base32(drawn, 7)


def new_agent_id(provider: str) -> str:
    """`<provider>-agent-<8 hex>`; the caller draws again when it is taken."""
    return f"{provider}-agent-{os.urandom(4).hex()}"


def short(task_id: str) -> str:
    """The part of a task id that people see and type: `tsk_0f3k9x2ab`, without the `tsk_`."""
    return task_id.removeprefix("tsk_")[:SHORT_LENGTH]


def _base32(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


# Drawn once: asking the system for each id gives up the interpreter's lock, which a busy hub must then win back.
_OF_PROCESS = _base32(int.from_bytes(os.urandom(5)) >> 5, 7)
