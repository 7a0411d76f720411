"""What a commit tells those who follow: events and log lines, serialised once for all readers."""

from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from swarm_api.base import from_ms, rfc3339


class Entry(NamedTuple):
    """One event or log line: its number, what readers filter by, and its JSON as it goes on the wire."""

    seq: int
    type: str
    task_id: str | None
    frame: bytes


def event_entry(seq: int, type_: str, task_id: str | None, payload: bytes, at_ms: int) -> Entry:
    head = f'{{"seq":{seq},"type":"{type_}","timestamp":"{_second(at_ms // 1000)}","payload":'.encode()
    return Entry(seq, type_, task_id, head + payload + b"}")


def line_entry(row: dict[str, Any]) -> Entry:
    """From a row of `log_lines`."""
    line = {
        "seq": row["seq"],
        "agentId": row["agent_id"],
        "stream": row["stream"],
        "text": row["text"],
        "timestamp": _second(row["at_ms"] // 1000),
        "elapsedMs": row["elapsed_ms"],
    }
    if row["data"] is not None:
        line["data"] = from_json(row["data"])
    return Entry(row["seq"], row["stream"], row["task_id"], to_json(line))


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return rfc3339(from_ms(seconds * 1000))
