"""Where a span belongs: ids that follow from what it is about, and what a caller says of his own trace.

Ids are drawn from nothing but the hub's own: a hub that was restarted goes on with the same trace, and a span that is
sent twice is the same span.
"""

import hashlib
import re
from typing import NamedTuple

# https://www.w3.org/TR/trace-context/#traceparent-header; a later version may have more behind it.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
LONGEST = 200  # characters of a header that is looked at


class Caller(NamedTuple):
    """A caller's own span, in which a task is submitted. Where he records nothing, nothing of the task is told."""

    trace_id: int
    span_id: int
    sampled: bool


def read_traceparent(header: str) -> Caller | None:
    """None for what is none: as the standard has it, it is as if it were not there."""
    found = _TRACEPARENT.fullmatch(header) if len(header) <= LONGEST else None
    if found is None or (header.startswith("00") and found[4]):
        return None
    return Caller(int(found[1], 16), int(found[2], 16), bool(int(found[3], 16) & _SAMPLED))


def trace_id(task_id: str) -> int:
    """Of a task that nobody submitted from a trace of his own."""
    return _drawn(f"trace {task_id}", 16)


def span_id(kind: str, about: str) -> int:
    return _drawn(f"{kind} {about}", 8)


def _drawn(text: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size]) or 1  # 0 is no id
