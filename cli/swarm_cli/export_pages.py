"""A table in answers that the hub can give: in the order of a key, from one value of it to the next."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any, NamedTuple, TypeVar

from swarm_api.analytics import MOST_ROWS, QueryFile, RowsFormat, SchemaOut, TableOut
from swarm_api.client import HubClient
from swarm_api.errors import InvalidInput, Unavailable
from swarm_cli.faults import Fault

PAGE = 500_000  # rows: what sorts within the memory and the time of a question
_LEAST = 500  # rows; of less than that no page is made
_SMALLER = 8
_TOO_MUCH = ("query_timeout", "query_out_of_memory", "answer_too_large")
_BUSY = ("query_busy", "query_killed", "catching_up")
_PATIENCE, _REST = 120.0, 1.0  # seconds until it is given up, and between two attempts at a question

T = TypeVar("T")


class Days(NamedTuple):
    """From the first to the last day, both included; None: no bound."""

    since: date | None
    until: date | None

    def of(self, day: str) -> list[str]:
        """The conditions on an expression for the day."""
        tests = ((self.since, f"{day} >= $since::DATE"), (self.until, f"{day} <= $until::DATE"))
        return [test for bound, test in tests if bound]

    @property
    def params(self) -> dict[str, str]:
        return {name: str(bound) for name, bound in self._asdict().items() if bound}


class Rows(NamedTuple):
    """Which rows of a table, and what of them. `key` has a value in each row, which never changes.

    It is the first of the columns, by which they are sorted. Names are the schema's, and checked: they stand in SQL.
    """

    table: str
    columns: str
    key: str
    key_type: str
    tests: list[str]
    params: dict[str, Any]


def rows_of(table: TableOut, schema: SchemaOut, days: Days, columns: str = "*") -> Rows:
    """Those of some days: by the row's own day or first time, or by its task's. A table without either is whole."""
    tests = days.of(_day(table)) if _day(table) else []
    if not tests and any(column.name == "task_id" for column in table.columns):
        tasks = next((other for other in schema.tables if other.name == "tasks"), None)
        if tasks and (found := days.of(_day(tasks))):
            tests = [f"task_id IN (SELECT task_id FROM tasks WHERE {' AND '.join(found)})"]  # noqa: S608
    key = table.columns[0]
    return Rows(table.name, columns, key.name, key.type, tests, days.params if tests else {})


def _day(table: TableOut) -> str:
    """The expression for a row's day in the hub's time zone; empty where it has none."""
    for type_ in ("DATE", "TIMESTAMPTZ"):
        for column in table.columns:
            if column.type == type_:
                return f'"{column.name}"::DATE'
    return ""


async def pages(hub: HubClient, rows: Rows, kind: RowsFormat, size: int = PAGE) -> AsyncIterator[QueryFile]:
    """All the rows in a stable order, `size` or a few more in each answer; one without rows when there are none.

    What a page would take too long for, or be too large for, comes in smaller ones. A row that is new meanwhile is in
    at most one of them. Raises `InvalidInput`, and a `Fault` where one value of the key has too many rows.
    """
    whole = await _smaller(hub, rows, kind, size)
    if whole is not None and not whole.truncated:
        yield whole
        return
    size = size if whole is not None else size // _SMALLER
    after: str | None = None
    while (upto := await _bound(hub, rows, after, size)) is not None:
        try:
            page = await _page(hub, rows, kind, after, upto)
        except InvalidInput as error:
            if error.code not in _TOO_MUCH or size < _LEAST:
                raise
            size //= _SMALLER
            continue
        if page.truncated:
            raise Fault(f"more than {MOST_ROWS:,} rows of {rows.table} have the same {rows.key}")
        yield page
        after = upto


async def _smaller(hub: HubClient, rows: Rows, kind: RowsFormat, size: int) -> QueryFile | None:
    """All the rows in one answer, if they are few enough; None where even these are too much."""
    try:
        return await _ask(hub, kind, _sql(rows, rows.tests), rows.params, size)
    except InvalidInput as error:
        if error.code not in _TOO_MUCH:
            raise
        return None


async def _bound(hub: HubClient, rows: Rows, after: str | None, size: int) -> str | None:
    """The key of the row `size` rows on, or of the last one; None behind that."""
    tests, params = _between(rows, after, None)
    inner = f'SELECT "{rows.key}" AS key FROM "{rows.table}"{_where(tests)} ORDER BY 1 LIMIT {size:d}'  # noqa: S608
    answer = await patiently(lambda: hub.query(f"SELECT max(key)::VARCHAR FROM ({inner})", params))  # noqa: S608
    bound: str | None = answer.rows[0][0]
    return bound


async def _page(hub: HubClient, rows: Rows, kind: RowsFormat, after: str | None, upto: str) -> QueryFile:
    tests, params = _between(rows, after, upto)
    return await _ask(hub, kind, _sql(rows, tests), params, MOST_ROWS)


async def _ask(hub: HubClient, kind: RowsFormat, sql: str, params: dict[str, Any], limit: int) -> QueryFile:
    return await patiently(lambda: hub.query_file(kind, sql, params or None, limit=limit))


async def patiently(asking: Callable[[], Awaitable[T]]) -> T:
    """The answer of a hub that may have others to answer first, or much to take in. Raises what it raises."""
    clock = asyncio.get_running_loop().time
    end = clock() + _PATIENCE
    while True:
        try:
            return await asking()
        except Unavailable as error:
            if error.code not in _BUSY or clock() > end:
                raise
        await asyncio.sleep(_REST)


def _between(rows: Rows, after: str | None, upto: str | None) -> tuple[list[str], dict[str, Any]]:
    bounds = (("after", ">", after), ("upto", "<=", upto))
    given = [(name, sign, value) for name, sign, value in bounds if value is not None]
    tests = [f'"{rows.key}" {sign} ${name}::{rows.key_type}' for name, sign, _ in given]
    return [*rows.tests, *tests], rows.params | {name: value for name, _, value in given}


def _sql(rows: Rows, tests: list[str]) -> str:
    return f'SELECT {rows.columns} FROM "{rows.table}"{_where(tests)} ORDER BY ALL'  # noqa: S608


def _where(tests: list[str]) -> str:
    return f" WHERE {' AND '.join(tests)}" if tests else ""
