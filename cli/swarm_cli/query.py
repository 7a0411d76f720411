"""`swarm query`: questions about cost and progress, in SQL."""

import csv
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from swarm_api.config import hub_url
from swarm_cli.charts import Bar, bars, ink
from swarm_cli.faults import wrong_usage
from swarm_cli.options import Url
from swarm_cli.reading import Hub, connect, show_json
from swarm_cli.screen import Screen, safe, write
from swarm_cli.setup_changes import warn
from swarm_cli.table import Cell, Column, lines, tabbed

PATIENCE = 60.0  # seconds: a question may wait for its turn, and then take its time

Format = Literal["table", "json", "csv", "arrow", "parquet"]
_SUFFIXES: dict[str, Format] = {".json": "json", ".csv": "csv", ".arrow": "arrow", ".parquet": "parquet"}
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(\d+, ?\d+\)")


def query(
    sql: Annotated[str | None, typer.Argument(metavar="SQL", help="One SELECT; - or nothing: from stdin.")] = None,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="None: by the file's name; a table on a terminal, values with tabs elsewhere."),
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help=".csv, .json, .arrow or .parquet.")
    ] = None,
    chart: Annotated[
        bool, typer.Option("--chart", help="Bars: of the first two columns, a label and a number.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=5_000_000, help="Rows at most.")] = 10_000,
    tables: Annotated[bool, typer.Option("--tables", help="What there is to ask: tables and columns.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    url: Url = None,
) -> None:
    """Ask about tasks, agents, usage and costs in DuckDB's SQL: `swarm query "FROM usage"`."""
    screen = Screen.of(sys.stdout, os.environ)
    format_ = _format("json" if as_json else format_, output, chart, screen)
    if tables:
        return _show_tables(connect(url, os.environ).get("schema"), screen, format_)
    file = Path(output) if output else None
    if format_ in ("arrow", "parquet"):
        from swarm_cli.query_files import fetch, put  # a client of its own, which takes its time to import

        found = fetch(url, _sql(sql), format_, limit)
        put(found.content, file)
        truncated = found.truncated
    else:
        answer = _ask(url, _sql(sql), limit)
        truncated = answer["truncated"]
        _save(answer, format_, file) if file else _show(answer, screen, format_, chart)
    if truncated:
        warn(f"there are more than these {limit:,} rows: --limit shows them")
    return None


def _format(format_: Format | None, output: str | None, chart: bool, screen: Screen) -> Format | None:
    """The one that is meant. Raises a usage `Fault` for what does not go together."""
    if chart and (format_ or output):
        raise wrong_usage("--chart is for people to look at: without --format, --json and -o")
    if output and not format_:
        format_ = _SUFFIXES.get(Path(output).suffix.lower())
        if format_ is None:
            raise wrong_usage(f"-o {output}: its ending names no format; allowed: {', '.join(_SUFFIXES)}, or --format")
    if output and format_ == "table":
        raise wrong_usage("a table is for people to look at: -o takes csv, json, arrow or parquet")
    if format_ in ("arrow", "parquet") and not output and screen.terminal:
        raise wrong_usage(f"{format_} is not for a terminal", hint=f"-o FILE.{format_}")
    return format_


def _ask(url: str | None, sql: str, limit: int) -> Any:
    hub = Hub.of(hub_url(url, os.environ), os.environ, timeout=PATIENCE)
    return hub.call("POST", "/api/query", json.dumps({"sql": sql, "limit": limit}).encode())


def _sql(given: str | None) -> str:
    if given not in (None, "-"):
        return str(given)
    if given is None and sys.stdin.isatty():
        raise wrong_usage("say what to ask", hint='swarm query "SELECT status, count(*) FROM tasks GROUP BY 1"')
    return sys.stdin.read()


def _show(answer: Any, screen: Screen, format_: Format | None, chart: bool) -> None:
    if format_ == "json":
        return show_json(answer)
    rows = [[_text(value) for value in row] for row in answer["rows"]]
    if chart:
        shown = _chart(answer, screen)
    elif format_ == "csv":
        shown = _csv(answer["columns"], rows)
    elif format_ == "table" or screen.terminal:
        shown = _table(answer["columns"], rows, screen)
    else:
        shown = tabbed(rows)
    for line in shown:
        write(line)
    return None


def _save(answer: Any, format_: Format | None, file: Path) -> None:
    from swarm_cli.query_files import put

    rows = [[_text(value) for value in row] for row in answer["rows"]]
    lines = _csv(answer["columns"], rows) if format_ == "csv" else [json.dumps(answer, ensure_ascii=False, indent=2)]
    put("".join(f"{line}\n" for line in lines).encode(), file)


def _chart(answer: Any, screen: Screen) -> Iterator[str]:
    columns = answer["columns"]
    if len(columns) < 2 or not _is_number(columns[1]["type"]):
        found = ", ".join(column["type"] for column in columns[:2])
        raise wrong_usage(
            f"--chart needs a label and a number as the first two columns; they are: {found}",
            hint='swarm query --chart "SELECT model, sum(cost_micro_usd) FROM usage GROUP BY 1"',
        )
    rows = [
        Bar(safe(_text(label)) or "(none)", None if value is None else float(value), (safe(_text(value)),))
        for label, value, *_ in answer["rows"]
    ]
    yield from bars(rows, screen, ink(sys.stdout)) if rows else ["No rows."]


def _table(columns: Any, rows: list[list[str]], screen: Screen) -> Iterator[str]:
    heads = [Column(safe(column["name"]), share=1, right=_is_number(column["type"])) for column in columns]
    if not rows:
        yield "No rows."
    yield from lines(heads, [[Cell(safe(value)) for value in row] for row in rows], screen)


def _is_number(type_: str) -> bool:
    return _NUMBER.fullmatch(type_) is not None


def _csv(columns: Any, rows: list[list[str]]) -> Iterator[str]:
    for row in ([column["name"] for column in columns], *rows):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(row)
        yield text.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _show_tables(schema: Any, screen: Screen, format_: Format | None) -> None:
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
