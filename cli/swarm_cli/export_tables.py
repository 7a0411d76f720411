"""Tables as Parquet files."""

import re
from pathlib import Path
from typing import Any, NamedTuple

from swarm_api.analytics import SchemaOut, TableOut
from swarm_api.client import HubClient
from swarm_cli.export_pages import PAGE, Days, pages, rows_of
from swarm_cli.export_progress import Progress
from swarm_cli.faults import Fault, wrong_usage

Json = dict[str, Any]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")  # what is safe as a file's name, and in SQL


class Export(NamedTuple):
    """Where from, of which days, and how many rows a file may have."""

    hub: HubClient
    schema: SchemaOut
    days: Days
    progress: Progress
    page: int = PAGE


def chosen(schema: SchemaOut, names: str | None) -> list[TableOut]:
    """The tables that are named, in the schema's order; None: all. Raises a usage `Fault` for one there is not."""
    if names is None:
        return schema.tables
    wanted = {name.strip() for name in names.split(",")}
    known = [table.name for table in schema.tables]
    if unknown := sorted(wanted - set(known)):
        raise wrong_usage(f"--tables: there is no table {unknown[0]!r}; allowed: {', '.join(known)}")
    return [table for table in schema.tables if table.name in wanted]


async def write_tables(export: Export, tables: list[TableOut], folder: Path) -> Json:
    """Write a file for each table, or several in a folder where one would be too large; what there is in them.

    `seq`: the newest event that every file takes into account; some may have later ones.
    """
    _check_names(export.schema)
    written = {table.name: await _write(export, table, folder) for table in tables}
    described = [
        {
            "name": table.name, "description": table.description, "rows": written[table.name].rows,
            "files": [str(file.relative_to(folder)) for file in written[table.name].files],
            "columns": [column.model_dump() for column in table.columns],
        }
        for table in tables
    ]  # fmt: skip
    seqs = [seq for table in written.values() for seq in table.seqs]
    return {"format": "parquet", "seq": min(seqs, default=0), "tables": described}


class _Written(NamedTuple):
    files: list[Path]
    rows: int
    seqs: list[int]


async def _write(export: Export, table: TableOut, folder: Path) -> _Written:
    parts = folder / table.name
    parts.mkdir()
    rows = 0
    seqs: list[int] = []
    files: list[Path] = []
    export.progress.say(table.name, rows)
    wanted = rows_of(table, export.schema, export.days)
    async for answer in pages(export.hub, wanted, "parquet", export.page):
        files.append(parts / f"part-{len(files) + 1:04}.parquet")
        files[-1].write_bytes(answer.content)
        rows += answer.rows
        seqs.append(answer.seq)
        export.progress.say(table.name, rows)
    if len(files) == 1:
        files = [files[0].rename(folder / f"{table.name}.parquet")]
        parts.rmdir()
    return _Written(files, rows, seqs)


def _check_names(schema: SchemaOut) -> None:
    for table in schema.tables:
        for name in (table.name, *(column.name for column in table.columns)):
            if not _NAME.fullmatch(name):
                raise Fault(f"the hub has a table or column {name!r}, which is no name for a file")
