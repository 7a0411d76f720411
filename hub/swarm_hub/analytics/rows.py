"""How rows of the hub's database become the projection's. Nothing here looks at a clock: a rebuild gives the same."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

Row = tuple[Any, ...]
TOKENS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
_WIRE = ("input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h")
QUARTER_MS = 900_000
_LONGEST = 200  # characters of what agents name as they like


def instant(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


def day_of(ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(ms / 1000, zone).date()


def task_row(task: sqlite3.Row, log_lines: int) -> Row:
    """`log_lines`: as far as its log has been read."""
    spec, result = json.loads(task["spec"]), json.loads(task["result"] or "{}")
    return (
        task["id"], task["name"], task["status"], result.get("status"), _error_code(result),
        task["type"], task["model"], task["priority"], spec.get("tier"), task["repo"],
        instant(task["created_ms"]), instant(task["started_ms"]), instant(task["finished_ms"]),
        _between(task["created_ms"], task["started_ms"]), _between(task["started_ms"], task["finished_ms"]),
        task["attempts"], task["budget_micro_usd"], task["compute_micro_usd"],
        task["cost_micro_usd"], *_tokens(json.loads(task["usage"] or "{}")),
        result.get("turns", 0), len(result.get("filesChanged", ())), result.get("additions", 0),
        result.get("deletions", 0), log_lines,
    )  # fmt: skip


def agent_row(agent: sqlite3.Row) -> Row:
    return (
        agent["id"], agent["task_id"], agent["attempt"], agent["provider"], agent["region"], agent["tier"],
        agent["status"], instant(agent["claimed_ms"]), instant(agent["finished_ms"]),
        _between(agent["claimed_ms"], agent["finished_ms"]), agent["turns"], agent["last_tool"],
        len(json.loads(agent["files"] or "[]")), agent["cpu_percent"], agent["rss_mb"],
        agent["reserved_micro_usd"], agent["compute_micro_usd"],
        agent["cost_micro_usd"], *_tokens(json.loads(agent["usage"] or "{}")),
    )  # fmt: skip


def event_row(event: sqlite3.Row) -> Row:
    payload = json.loads(event["payload"])
    return (
        event["seq"], event["type"], event["task_id"], payload.get("agentId"), payload.get("status"),
        _error_code(payload), instant(event["at_ms"]),
    )  # fmt: skip


def notice_row(event: sqlite3.Row) -> Row:
    return event["seq"], event["type"], event["task_id"], instant(event["at_ms"]), event["payload"]


def metered_row(call: sqlite3.Row, zone: ZoneInfo) -> Row:
    """From an ended call of the gateway's book, with its task's type and repository."""
    return (
        call["id"], call["task_id"], call["agent_id"], call["type"], call["repo"], call["model"],
        instant(call["asked_ms"]), instant(call["ended_ms"]), day_of(call["ended_ms"], zone),
        call["ended_ms"] - call["asked_ms"], call["first_ms"], call["status"], call["stop_reason"],
        *(call[name] for name in TOKENS), call["cost_micro_usd"], "estimated" if call["estimated"] else "metered",
    )  # fmt: skip


def reported_rows(agent: sqlite3.Row, task: sqlite3.Row, booked: Mapping[str, Row], zone: ZoneInfo) -> list[Row]:
    """What an agent used beside the calls in the book, by model: so that both together are its cost.

    `booked`: tokens and cost in the book, by model. It counts on the day of the agent's end, else of its last word.
    """
    rows = []
    told = agent["finished_ms"] or agent["heartbeat_ms"] or agent["claimed_ms"]
    for model, used in json.loads(agent["usage"] or "{}").get("byModel", {}).items():
        sums = (*(used.get(name, 0) for name in _WIRE), used.get("costMicroUsd", 0))
        left = tuple(a - b for a, b in zip(sums, booked.get(model, (0,) * len(sums)), strict=True))
        if any(left):
            rows.append((
                f"{agent['id']}/{model}", task["id"], agent["id"], task["type"], task["repo"], model,
                instant(agent["claimed_ms"]), instant(told), day_of(told, zone), None, None, None, None,
                *left, "reported",
            ))  # fmt: skip
    return rows


def spending_row(spent: sqlite3.Row, zone: ZoneInfo) -> Row:
    begins = spent["quarter"] * QUARTER_MS
    key, _, value = spent["label"].partition("=")
    return instant(begins), day_of(begins, zone), key or None, value if key else None, spent["micro_usd"]


def tool_rows(lines: Iterable[sqlite3.Row]) -> tuple[list[Row], list[Row]]:
    """Calls of tools and their answers, from log lines: agents write there what they like, so nothing is trusted."""
    starts: list[Row] = []
    ends: list[Row] = []
    for line in lines:
        data = json.loads(line["data"])
        tool, use = _text(data.get("tool")), _text(data.get("toolUseId"))
        at = instant(line["at_ms"])
        if tool is not None:
            parent = _text(data.get("parentToolUseId"))
            starts.append((line["task_id"], line["agent_id"], line["seq"], tool, use, parent, at))
        elif use is not None:
            ends.append((line["agent_id"], use, at, data.get("isError") is True))
    return starts, ends


def _tokens(usage: Mapping[str, Any]) -> Row:
    return tuple(usage.get(name, 0) for name in _WIRE)


def _error_code(outcome: Mapping[str, Any]) -> str | None:
    error = outcome.get("error")
    code: str | None = error.get("code") if error else None
    return code


def _between(start: int | None, end: int | None) -> int | None:
    return None if start is None or end is None else end - start


def _text(value: object) -> str | None:
    return value[:_LONGEST] if isinstance(value, str) else None
