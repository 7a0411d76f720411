"""Tables as Parquet files."""

import re
from pathlib import Path
from typing import Any

from swarm_api.analytics import SchemaOut, TableOut
from swarm_api.client import HubClient
from swarm_cli.export_pages import PAGE, Days, pages, rows_of
from swarm_cli.export_progress import Progress
from swarm_cli.faults import Fault, wrong_usage

Json = dict[str, Any]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")  # what is safe as a file's name, and in SQL


def chosen(schema: SchemaOut, names: str | None) -> SchemaOut:
    """The tables that are named, in the schema's order; None: all. Raises a usage `Fault` for one there is not."""
    if names is None:
        return schema
    wanted = {name.strip() for name in names.split(",")}
    known = [table.name for table in schema.tables]
    if unknown := sorted(wanted - set(known)):
        raise wrong_usage(f"--tables: there is no table {unknown[0]!r}; allowed: {', '.join(known)}")
    return schema.model_copy(update={"tables": [table for table in schema.tables if table.name in wanted]})


async def write_tables(
    hub: HubClient, folder: Path, schema: SchemaOut, days: Days, progress: Progress, page: int = PAGE
) -> Json:
    """Write a file for each table, or several in a folder where one would be too large; what there is in them.

    `seq`: the newest event that every file takes into account; some may have later ones.
    """
    _check_names(schema)
    whole = await hub.schema()
    tables, seqs = [], []
    for table in schema.tables:
        files, rows, seq = await _write(hub, folder, table, whole, days, progress, page)
        tables.append({
            "name": table.name, "description": table.description, "rows": rows, "files": files,
            "columns": [column.model_dump() for column in table.columns],
        })  # fmt: skip
        seqs.append(seq)
    return {"format": "parquet", "seq": min(seqs, default=0), "tables": tables}


async def _write(
    hub: HubClient, folder: Path, table: TableOut, schema: SchemaOut, days: Days, progress: Progress, page: int
) -> tuple[list[str], int, int]:
    parts = folder / table.name
    parts.mkdir()
    rows = 0
    seqs: list[int] = []
    files: list[Path] = []
    progress.say(table.name, rows)
    async for answer in pages(hub, rows_of(table, schema, days), "parquet", page):
        files.append(parts / f"part-{len(files) + 1:04}.parquet")
        files[-1].write_bytes(answer.content)
        rows += answer.rows
        seqs.append(answer.seq)
        progress.say(table.name, rows)
    if len(files) == 1:
        files = [files[0].rename(folder / f"{table.name}.parquet")]
        parts.rmdir()
    return [str(file.relative_to(folder)) for file in files], rows, min(seqs, default=0)


def _check_names(schema: SchemaOut) -> None:
    for table in schema.tables:
        for name in (table.name, *(column.name for column in table.columns)):
            if not _NAME.fullmatch(name):
                raise Fault(f"the hub has a table or column {name!r}, which is no name for a file")
