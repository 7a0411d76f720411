"""`swarm query`: questions about cost and progress, in SQL."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import typer

from swarm_api.config import hub_url
from swarm_cli.faults import wrong_usage
from swarm_cli.options import Url
from swarm_cli.reading import Hub, connect, show_json
from swarm_cli.screen import Screen, safe, write
from swarm_cli.setup_changes import warn
from swarm_cli.table import Cell, Column, lines, tabbed

PATIENCE = 60.0  # seconds: a question may wait for its turn, and then take its time

_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")


def query(
    sql: Annotated[str | None, typer.Argument(metavar="SQL", help="One SELECT; - or nothing: from stdin.")] = None,
    format_: Annotated[
        Literal["table", "json", "csv"] | None,
        typer.Option("--format", help="None: a table on a terminal, values with tabs elsewhere."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 10_000,
    tables: Annotated[bool, typer.Option("--tables", help="What there is to ask: tables and columns.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    url: Url = None,
) -> None:
    """Ask about tasks, agents, usage and costs in DuckDB's SQL: `swarm query "FROM usage"`."""
    screen = Screen.of(sys.stdout, os.environ)
    format_ = "json" if as_json else format_
    if tables:
        return _show_tables(connect(url, os.environ).get("schema"), screen, format_)
    body = {"sql": _sql(sql), "limit": limit}
    hub = Hub.of(hub_url(url, os.environ), os.environ, timeout=PATIENCE)
    answer = hub.call("POST", "/api/query", json.dumps(body).encode())
    _show(answer, screen, format_)
    if answer["truncated"]:
        warn(f"there are more than these {limit:,} rows: --limit shows them")
    return None


def _sql(given: str | None) -> str:
    if given not in (None, "-"):
        return str(given)
    if given is None and sys.stdin.isatty():
        raise wrong_usage("say what to ask", hint='swarm query "SELECT status, count(*) FROM tasks GROUP BY 1"')
    return sys.stdin.read()


def _show(answer: Any, screen: Screen, format_: str | None) -> None:
    if format_ == "json":
        return show_json(answer)
    rows = [[_text(value) for value in row] for row in answer["rows"]]
    if format_ == "csv":
        shown = _csv([column["name"] for column in answer["columns"]], rows)
    elif format_ == "table" or screen.terminal:
        shown = _table(answer["columns"], rows, screen)
    else:
        shown = tabbed(rows)
    for line in shown:
        write(line)
    return None


def _table(columns: Any, rows: list[list[str]], screen: Screen) -> Iterator[str]:
    heads = [Column(safe(column["name"]), share=1, right=_is_number(column["type"])) for column in columns]
    if not rows:
        yield "No rows."
    yield from lines(heads, [[Cell(safe(value)) for value in row] for row in rows], screen)


def _is_number(type_: str) -> bool:
    return any(word in type_ for word in _NUMBERS) and not type_.endswith("]") and "INTERVAL" not in type_


def _csv(names: list[str], rows: list[list[str]]) -> Iterator[str]:
    for row in (names, *rows):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(row)
        yield text.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _show_tables(schema: Any, screen: Screen, format_: str | None) -> None:
    if format_ == "json":
        return show_json(schema)
    for table in schema["tables"]:
        write(f"{screen.paint('bold', table['name'])}  {table['description']}")
        names = [Column("COLUMN"), Column("TYPE"), Column("MEANING", share=1)]
        cells = [
            [Cell(column["name"]), Cell(column["type"], "dim"), Cell(column["description"])]
            for column in table["columns"]
        ]
        for line in list(lines(names, cells, screen))[1:]:
            write(f"  {line}")
    return None
