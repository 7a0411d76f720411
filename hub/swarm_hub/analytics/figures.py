"""The figures of a period and of the one before it, as groups that the hub puts together. Times are milliseconds.

Use and tasks are counted side by side. Sets of groups in one statement take DuckDB longer than a statement for each.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import add
from typing import Any, NamedTuple, TypeVar

import duckdb

_TOKENS = "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"
_AMOUNTS = ("cost_micro_usd", *_TOKENS)
_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in _AMOUNTS)
_WITHIN = "{time} >= make_timestamptz({begin:d} * 1000) AND {time} < make_timestamptz({end:d} * 1000)"
_USED = f"SELECT type, coalesce(repo, '') AS repo, model, count(*), {_SUMS} FROM usage WHERE {_WITHIN} GROUP BY ALL"
_USED_BY_STEP = f"SELECT {{step}} AS step, count(*), sum(cost_micro_usd) FROM usage WHERE {_WITHIN} GROUP BY ALL"
_USED_BEFORE = f"SELECT count(*), {_SUMS} FROM usage WHERE {_WITHIN}"
_TASKS = (
    "SELECT {time} >= make_timestamptz({middle:d} * 1000) AS now, type, coalesce(repo, '') AS repo, status, count(*)"
    f" FROM tasks WHERE {_WITHIN} GROUP BY ALL"
)
_TASKS_BY_STEP = f"SELECT {{step}} AS step, status, count(*) FROM tasks WHERE {_WITHIN} GROUP BY ALL"
_NOW = "SELECT {time} >= make_timestamptz({middle:d} * 1000) AS now, "
_AGENTS = f"{_NOW} count(*) FROM agents WHERE {_WITHIN} GROUP BY now"
_DURATIONS = (
    f"{_NOW} quantile_cont(duration_ms, [0.5, 0.95]) FROM tasks"
    f" WHERE status IN ('completed', 'failed') AND {_WITHIN} GROUP BY now"
)

Span = Sequence[int]
Row = tuple[Any, ...]
Groups = dict[str, list[Row]]
T = TypeVar("T")


class Asked(NamedTuple):
    """`period`, `previous`: a beginning and an end, which is not in it. `steps`: where the period's steps begin."""

    period: Span
    previous: Span
    steps: Sequence[int]


def figures(connection: duckdb.DuckDBPyConnection, asked: Asked) -> dict[str, Any]:
    """What was `used`, `created` and `finished`: `all` of it; of the period also by type, repository and step.

    A row begins with what it is of: a step by its number. What was used by model is there, too.
    """
    with ThreadPoolExecutor(1) as beside, connection.cursor() as another:
        tasks = beside.submit(_at_once, another, _of_tasks, asked)
        used, used_before = _at_once(connection, _of_use, asked)
        of_period, of_previous = tasks.result()
    return {"period": {"used": used, **of_period}, "previous": {"used": used_before, **of_previous}}


def _at_once(
    connection: duckdb.DuckDBPyConnection, work: Callable[[duckdb.DuckDBPyConnection, Asked], T], asked: Asked
) -> T:
    """All of it as it was at one moment: parts are those of the whole."""
    connection.begin()
    try:
        return work(connection, asked)
    finally:
        connection.rollback()


def _of_use(connection: duckdb.DuckDBPyConnection, asked: Asked) -> tuple[Groups, Groups]:
    """Of the period and of the one before."""
    period, previous, steps = asked
    rows = _ask(connection, _USED, period, "ended_at", steps)
    by_step = _ask(connection, _USED_BY_STEP, period, "ended_at", steps)
    (before,) = _ask(connection, _USED_BEFORE, previous, "ended_at", previous[:1])
    return {**_used(rows), "step": by_step}, {"all": [("", *before)]}


def _of_tasks(connection: duckdb.DuckDBPyConnection, asked: Asked) -> list[dict[str, Any]]:
    """Of the period and of the one before, which has no steps."""
    period, previous, steps = asked
    both = previous[0], period[1]
    agents: dict[bool, int] = dict(_ask(connection, _AGENTS, both, "claimed_at", steps))
    durations: dict[bool, list[float]] = dict(_ask(connection, _DURATIONS, both, "finished_at", steps))
    made: list[dict[str, Any]] = [
        {"agents": agents.get(now, 0), "durations": durations.get(now) or [None, None]} for now in (True, False)
    ]
    for name, time in (("created", "created_at"), ("finished", "finished_at")):
        rows = _ask(connection, _TASKS, both, time, steps)
        of_period, of_previous = (_tasks([row[1:] for row in rows if row[0] is now]) for now in (True, False))
        made[0][name] = {**of_period, "step": _ask(connection, _TASKS_BY_STEP, period, time, steps)}
        made[1][name] = of_previous
    return made


def step_of(time: str, steps: Sequence[int], end: int) -> str:
    """The number of the step that a column of times lies in, as SQL; no time is before the first step or after the end.

    Steps of one length after another are counted: a month of days has one length, or three where clocks are set.
    In microseconds, as DuckDB keeps times: making milliseconds of them takes as long as all the rest.
    """
    lengths = [after - begin for begin, after in zip(steps, (*steps[1:], end), strict=True)]
    runs = [at for at, length in enumerate(lengths) if at == 0 or length != lengths[at - 1]]
    counted = [f"{at:d} + (epoch_us({time}) - {steps[at]:d}000) // {lengths[at]:d}000" for at in runs]
    later = [
        f"WHEN epoch_us({time}) >= {steps[at]:d}000 THEN {number}" for at, number in zip(runs, counted, strict=True)
    ]
    return f"CASE {' '.join(reversed(later[1:]))} ELSE {counted[0]} END" if later[1:] else counted[0]


def _used(rows: list[Row]) -> Groups:
    """By type and repository the requests and their cost alone."""
    by_model = _summed((row[2], row[3:]) for row in rows)
    return {
        "all": _summed(("", tuple(amounts)) for _, *amounts in by_model),
        "model": by_model,
        "type": _summed((row[0], row[3:5]) for row in rows),
        "repo": _summed((row[1], row[3:5]) for row in rows),
    }


def _tasks(rows: list[Row]) -> Groups:
    """By their status, too."""
    keyed = {
        "all": _summed((("", status), tasks) for _, _, status, *tasks in rows),
        "type": _summed(((type_, status), tasks) for type_, _, status, *tasks in rows),
        "repo": _summed(((repo, status), tasks) for _, repo, status, *tasks in rows),
    }
    return {name: [(*key, tasks) for key, tasks in some] for name, some in keyed.items()}


def _summed(rows: Iterable[tuple[Any, Sequence[int]]]) -> list[Row]:
    """By key, in the order of keys."""
    sums: dict[Any, Sequence[int]] = {}
    for key, amounts in rows:
        sums[key] = tuple(map(add, sums[key], amounts)) if key in sums else amounts
    return [(key, *sums[key]) for key in sorted(sums)]


def _ask(connection: duckdb.DuckDBPyConnection, sql: str, span: Span, time: str, steps: Sequence[int]) -> list[Row]:
    begin, end = span
    asked = sql.format(time=time, begin=begin, middle=steps[0], end=end, step=step_of(time, steps, end))
    return connection.execute(asked).fetchall()
