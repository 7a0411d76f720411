"""Writes one part of the archive: `python -m swarm_hub.archive.program DATABASE FILE FIRST LAST`.

In a process of its own, as DuckDB writes it. The file is complete, read again and on the disk when this ends with 0.
"""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb

from swarm_hub.analytics.rows import event_row

PAGE = 5_000  # events that are held in memory besides DuckDB's own copy
MEMORY = "256MB"
COLUMNS = (
    "seq BIGINT, type VARCHAR, task_id VARCHAR, agent_id VARCHAR, status VARCHAR, error_code VARCHAR,"
    " happened_at TIMESTAMPTZ, payload VARCHAR, at_ms BIGINT"
)
"""As the projection has them; and what the journal had, word for word."""
_EVENTS = "SELECT * FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq"
_SIGN = "SELECT count(*), min(seq), max(seq), bit_xor(hash(part)) FROM {} AS part"


class NotWhole(Exception):
    """What was written is not what stands in the journal."""


def write_part(database: Path, file: Path, first: int, last: int) -> None:
    """Raises `NotWhole`, `duckdb.Error`, `sqlite3.Error` and `OSError`."""
    source = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    source.row_factory = sqlite3.Row
    with closing(source), duckdb.connect(config={"memory_limit": MEMORY, "threads": "1"}) as made:
        made.execute(f"CREATE TABLE part ({COLUMNS})")
        with made.appender("part") as appender:
            for page in _pages(source, first, last):
                appender.append_rows([(*event_row(row), row["payload"], row["at_ms"]) for row in page])
        made.execute(f"COPY part TO {_quoted(file)} (FORMAT parquet, COMPRESSION zstd)")
        kept = made.execute(_SIGN.format("part")).fetchall()
        if kept != made.execute(_SIGN.format(f"read_parquet({_quoted(file)})")).fetchall():
            raise NotWhole("what was written is read back as something else")
        if kept[0][1:3] != (first, last):
            raise NotWhole(f"the journal has events {kept[0][1]} to {kept[0][2]} of {first} to {last}")
    _sync(file)


def _pages(source: sqlite3.Connection, first: int, last: int) -> Iterator[list[sqlite3.Row]]:
    """In one snapshot: so is what was counted."""
    found = source.execute(_EVENTS, (first, last))
    while page := found.fetchmany(PAGE):
        yield page


def _sync(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())


def _quoted(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def main() -> None:
    database, file, first, last = sys.argv[1:]
    os.umask(0o077)
    try:
        write_part(Path(database), Path(file), int(first), int(last))
    except (NotWhole, duckdb.Error, sqlite3.Error, OSError) as error:
        sys.exit(str(error).splitlines()[0])


if __name__ == "__main__":
    main()
