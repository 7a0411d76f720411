"""Answering a question: its rows are kept aside, so that their number is known, and then written as they are wanted."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from swarm_hub.analytics.selects import check

_AT_ONCE = 2_000  # rows of JSON
_A_PAGE = 20_480  # rows of Arrow


class Wish(NamedTuple):
    """`limit`: rows at most. `format`: one of `FORMATS`."""

    sql: str
    parameters: Any
    limit: int
    format: str


class Answer(NamedTuple):
    """`path`: where it is; whoever reads it takes it away. `truncated`: there are more rows than were wanted."""

    path: Path
    rows: int
    truncated: bool


class Column(NamedTuple):
    name: str
    type: str


def answer(connection: duckdb.DuckDBPyConnection, wish: Wish, path: Path, seq: int) -> Answer:
    """Write the answer into a new file. Raises `Refused` and `duckdb.Error`.

    `seq`: the newest event that it takes into account.
    """
    sql = check(connection, wish.sql)
    columns = _keep_aside(connection, sql, wish)
    (found,) = connection.execute("SELECT count(*) FROM answer").fetchall()[0]
    rows, truncated = min(found, wish.limit), found > wish.limit
    FORMATS[wish.format](connection, columns, Answer(path, rows, truncated), seq)
    return Answer(path, rows, truncated)


def _keep_aside(connection: duckdb.DuckDBPyConnection, sql: str, wish: Wish) -> list[Column]:
    """The rows as a temporary table `answer`, whose columns have names that nobody chose.

    One row more than is wanted tells whether there are more. The statement stands alone in its brackets: it was
    parsed alone before, so it opens and closes none of ours.
    """
    head = connection.execute(f"SELECT * FROM (\n{sql}\n) LIMIT 0", wish.parameters)
    columns = [Column(name, str(type_)) for name, type_, *_ in head.description or ()]
    head.fetchall()
    names = ", ".join(f"c{at}" for at in range(len(columns)))
    connection.execute(
        f"CREATE TEMP TABLE answer AS SELECT * FROM (\n{sql}\n) AS asked({names}) LIMIT {wish.limit + 1:d}",
        wish.parameters,
    )
    return columns


def _json(connection: duckdb.DuckDBPyConnection, columns: list[Column], wanted: Answer, seq: int) -> None:
    """As the contract has it. DuckDB makes the JSON of each row."""
    values = ", ".join(_json_value(at, column.type) for at, column in enumerate(columns))
    found = connection.execute(f"SELECT json_array({values})::VARCHAR FROM answer LIMIT {wanted.rows:d}")
    head = json.dumps({"columns": [column._asdict() for column in columns]})
    tail = json.dumps({"truncated": wanted.truncated, "seq": seq})
    with wanted.path.open("x", encoding="utf-8") as file:
        file.write(f'{head[:-1]}, "rows": [')
        between = ""
        for (row,) in _each(found):
            file.write(between + _finite(row))
            between = ",\n"
        file.write(f"], {tail[1:]}")


def _json_value(at: int, type_: str) -> str:
    """Times as everywhere in the API: RFC 3339, in UTC, to the second."""
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"strftime(timezone('UTC', c{at}), '%Y-%m-%dT%H:%M:%SZ')"
    return f"c{at}"


def _finite(row: str) -> str:
    """JSON has no numbers that are none, or endless: null."""
    if "NaN" in row or "Infinity" in row:
        return json.dumps(json.loads(row, parse_constant=lambda _: None), ensure_ascii=False)
    return row


def _each(found: duckdb.DuckDBPyConnection) -> Iterator[Any]:
    while some := found.fetchmany(_AT_ONCE):
        yield from some


def _copied(options: str) -> Callable[..., None]:
    def write(connection: duckdb.DuckDBPyConnection, columns: list[Column], wanted: Answer, _seq: int) -> None:
        path = str(wanted.path).replace("'", "''")
        connection.execute(f"COPY ({_renamed(columns, f'LIMIT {wanted.rows:d}')}) TO '{path}' ({options})")

    return write


def _arrow(connection: duckdb.DuckDBPyConnection, columns: list[Column], wanted: Answer, _seq: int) -> None:
    """An Arrow IPC stream, a batch at a time."""
    # Only who asks for it pays for it.
    import nanoarrow  # type: ignore[import-untyped]
    from nanoarrow.ipc import StreamWriter  # type: ignore[import-untyped]

    with wanted.path.open("xb") as file, StreamWriter.from_writable(file) as writer:
        for begin in range(0, max(1, wanted.rows), _A_PAGE):
            # DuckDB would have all of a result in memory before it gives the first batch away.
            page = f"rowid BETWEEN {begin:d} AND {min(begin + _A_PAGE, wanted.rows) - 1:d}"
            rows = connection.sql(_renamed(columns, f"WHERE {page}"))
            writer.write_stream(nanoarrow.ArrayStream(rows), write_schema=begin == 0)


def _renamed(columns: list[Column], which: str) -> str:
    """The rows under the names of their columns, of which DuckDB has made sure that each is there once."""
    shown = ", ".join('c{} AS "{}"'.format(at, name.replace('"', '""')) for at, (name, _) in enumerate(columns))
    return f"SELECT {shown} FROM answer {which}"


FORMATS: dict[str, Callable[[duckdb.DuckDBPyConnection, list[Column], Answer, int], None]] = {
    "json": _json,
    "csv": _copied("FORMAT csv, HEADER"),
    "parquet": _copied("FORMAT parquet, COMPRESSION zstd"),
    "arrow": _arrow,
}
