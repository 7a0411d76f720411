"""The figures of a span of time, as groups that the hub puts together. Spans are milliseconds, without their end."""

from collections.abc import Sequence
from typing import Any

import duckdb

QUARTER = 900_000  # milliseconds: time zones differ by whole quarters of an hour

_SUMS = "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"
_USED = (
    f"SELECT {{key}}, count(*), sum(cost_micro_usd), {', '.join(f'sum({name})' for name in _SUMS)}"
    " FROM usage WHERE ended_at >= make_timestamptz($start * 1000) AND ended_at < make_timestamptz($end * 1000)"
    " GROUP BY 1 ORDER BY 1"
)
_TASKS = (
    "SELECT {key}, status, count(*) FROM tasks"
    " WHERE {time} >= make_timestamptz($start * 1000) AND {time} < make_timestamptz($end * 1000)"
    " GROUP BY 1, 2 ORDER BY 1, 2"
)
_AGENTS = (
    "SELECT count(*) FROM agents"
    " WHERE claimed_at >= make_timestamptz($start * 1000) AND claimed_at < make_timestamptz($end * 1000)"
)
_DURATIONS = (
    "SELECT quantile_cont(duration_ms, [0.5, 0.95]) FROM tasks WHERE status IN ('completed', 'failed')"
    " AND finished_at >= make_timestamptz($start * 1000) AND finished_at < make_timestamptz($end * 1000)"
)
_KEYS = {"type": "type", "repo": "coalesce(repo, '')"}

Span = Sequence[int]
Groups = list[tuple[Any, ...]]


def period(connection: duckdb.DuckDBPyConnection, span: Span) -> dict[str, Any]:
    """All there is to say of a period: `used`, `created` and `ended` by each key, and by the quarter of an hour."""
    said = total(connection, span)
    keys = {**_KEYS, "model": "model", "quarter": f"epoch_ms(ended_at) // {QUARTER}"}
    for name, key in keys.items():
        said["used"][name] = _ask(connection, _USED.format(key=key), span)
    for moment in ("created", "finished"):
        for name, key in {**_KEYS, "quarter": f"epoch_ms({moment}_at) // {QUARTER}"}.items():
            said[moment][name] = _ask(connection, _TASKS.format(key=key, time=f"{moment}_at"), span)
    return said


def total(connection: duckdb.DuckDBPyConnection, span: Span) -> dict[str, Any]:
    """The same without the groups."""
    durations = _ask(connection, _DURATIONS, span)[0][0]
    said: dict[str, Any] = {
        "agents": _ask(connection, _AGENTS, span)[0][0],
        "durations": durations or [None, None],
        "used": {"all": _ask(connection, _USED.format(key="''"), span)},
    }
    for moment in ("created", "finished"):
        said[moment] = {"all": _ask(connection, _TASKS.format(key="''", time=f"{moment}_at"), span)}
    return said


def _ask(connection: duckdb.DuckDBPyConnection, sql: str, span: Span) -> Groups:
    start, end = span
    return connection.execute(sql, {"start": start, "end": end}).fetchall()
