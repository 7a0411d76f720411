"""Usage in the JSON of ccusage's reports (`ccusage claude daily --json` and its like, versions 15 to 20)."""

from collections.abc import Iterable
from typing import Any, Literal

from swarm_api.analytics import MOST_ROWS, Parameter
from swarm_api.client import HubClient
from swarm_cli.export_pages import Days, patiently
from swarm_cli.faults import Fault

Json = dict[str, Any]
Report = Literal["daily", "monthly", "session"]
_BUCKETS = {"daily": "day", "monthly": "strftime(day, '%Y-%m')", "session": "task_id"}
_LISTS = {"daily": "daily", "monthly": "monthly", "session": "sessions"}
_NAMES = {"daily": "date", "monthly": "month", "session": "sessionId"}
_TOKENS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
_SUMS = ("input_tokens", "output_tokens", "cache_write_5m_tokens + cache_write_1h_tokens", "cache_read_tokens",
         "cost_micro_usd")  # fmt: skip


async def usage(hub: HubClient, report: Report, days: Days) -> Json:
    """A report: days, months, or tasks as its sessions. Raises `InvalidInput` where it would be too long."""
    tests = days.of("day")
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    params: dict[str, Parameter] = {**days.params}
    sums = ", ".join(f"coalesce(sum({sum_}), 0)" for sum_ in _SUMS)
    what = f"({_BUCKETS[report]})::VARCHAR, coalesce(nullif(model, ''), 'unknown'), max(day)::VARCHAR, any_value(repo)"
    sql = f"SELECT {what}, {sums} FROM usage{where} GROUP BY 1, 2 ORDER BY 1, 2"  # noqa: S608  # our own words
    answer = await patiently(lambda: hub.query(sql, params or None, limit=MOST_ROWS))
    if answer.truncated:
        raise Fault(f"there are more than {MOST_ROWS:,} rows", hint="--since and --until ask for less")
    return as_report(report, answer.rows)


def as_report(report: Report, rows: Iterable[list[Any]]) -> Json:
    """Of rows: bucket, model, last day, repository, the four sums of tokens, and micro-dollars."""
    buckets: dict[str, list[list[Any]]] = {}
    for row in rows:
        buckets.setdefault(row[0], []).append(row)
    entries = [_entry(report, name, of_models) for name, of_models in buckets.items()]
    if report == "session":
        entries.sort(key=lambda entry: (entry["lastActivity"], entry["sessionId"]), reverse=True)
    return {_LISTS[report]: entries, "totals": _sums([row for group in buckets.values() for row in group])}


def _entry(report: Report, name: str, rows: list[list[Any]]) -> Json:
    rows = sorted(rows, key=lambda row: (-row[-1], row[1]))
    entry: Json = {_NAMES[report]: name, **_sums(rows)}
    if report == "session":
        entry["lastActivity"] = max(row[2] for row in rows)
    entry["modelsUsed"] = [row[1] for row in rows]
    entry["modelBreakdowns"] = [
        {"modelName": row[1], **dict(zip(_TOKENS, row[4:8], strict=True)), "cost": usd(row[8])} for row in rows
    ]
    if report == "session":
        entry["projectPath"] = rows[0][3] or "scratch"
    return entry


def _sums(rows: list[list[Any]]) -> Json:
    tokens = {name: sum(row[4 + at] for row in rows) for at, name in enumerate(_TOKENS)}
    return {**tokens, "totalTokens": sum(tokens.values()), "totalCost": usd(sum(row[8] for row in rows))}


def usd(micro: int) -> float:
    """Dollars, whose shortest decimal form is exact to the micro-dollar up to 9 billion dollars."""
    return micro / 1_000_000
