"""The figures of a span of time, as groups that the hub puts together. Spans are milliseconds, without their end."""

from collections.abc import Sequence
from typing import Any

import duckdb

QUARTER = 900_000  # milliseconds: time zones differ by whole quarters of an hour

_TOKENS = "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"
_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in ("cost_micro_usd", *_TOKENS))
_WITHIN = "{time} >= make_timestamptz($start * 1000) AND {time} < make_timestamptz($end * 1000)"
_KEYED = f"type, coalesce(repo, '') AS repo, epoch_ms({{time}}) // {QUARTER} AS quarter"
_USED = (
    f"SELECT {{keys}}count(*), {_SUMS}"
    f" FROM (SELECT {_KEYED}, model, cost_micro_usd, {', '.join(_TOKENS)} FROM usage WHERE {_WITHIN})"
    " GROUP BY GROUPING SETS ({sets}) ORDER BY ALL"
)
_TASKS = (
    f"SELECT {{keys}}status, count(*) FROM (SELECT {_KEYED}, status FROM tasks WHERE {_WITHIN})"
    " GROUP BY GROUPING SETS ({sets}) ORDER BY ALL"
)
_AGENTS = f"SELECT count(*) FROM agents WHERE {_WITHIN}".format(time="claimed_at")
_DURATIONS = (
    "SELECT quantile_cont(duration_ms, [0.5, 0.95]) FROM tasks"
    f" WHERE status IN ('completed', 'failed') AND {_WITHIN.format(time='finished_at')}"
)

PARTS = ("type", "repo", "quarter")

Span = Sequence[int]
Groups = dict[str, list[tuple[Any, ...]]]


def figures(connection: duckdb.DuckDBPyConnection, span: Span, parts: Sequence[str] = ()) -> dict[str, Any]:
    """What was `used`, `created` and `finished`: `all` of it, and by each of its parts; what was used by model, too."""
    keys = (*parts, "model") if parts else ()
    used = _USED.format(time="ended_at", keys=_list(keys), sets=", ".join(["()", *(f"({key})" for key in keys)]))
    return {
        "used": _grouped(_ask(connection, used, span), keys),
        "created": _tasks(connection, "created_at", parts, span),
        "finished": _tasks(connection, "finished_at", parts, span),
        "agents": _ask(connection, _AGENTS, span)[0][0],
        "durations": _ask(connection, _DURATIONS, span)[0][0] or [None, None],
    }


def _tasks(connection: duckdb.DuckDBPyConnection, time: str, parts: Sequence[str], span: Span) -> Groups:
    sets = ", ".join(["(status)", *(f"({key}, status)" for key in parts)])
    return _grouped(_ask(connection, _TASKS.format(time=time, keys=_list(parts), sets=sets), span), parts)


def _list(keys: Sequence[str]) -> str:
    return "".join(f"{key}, " for key in keys)


def _grouped(rows: list[tuple[Any, ...]], keys: Sequence[str]) -> Groups:
    """Each row begins with the keys, of which one has a value, or none: then it is of `all`."""
    groups: Groups = {name: [] for name in ("all", *keys)}
    for row in rows:
        name, value = next(((key, row[at]) for at, key in enumerate(keys) if row[at] is not None), ("all", ""))
        groups[name].append((value, *row[len(keys) :]))
    return groups


def _ask(connection: duckdb.DuckDBPyConnection, sql: str, span: Span) -> list[tuple[Any, ...]]:
    start, end = span
    return connection.execute(sql, {"start": start, "end": end}).fetchall()
