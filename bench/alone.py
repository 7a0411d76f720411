"""DuckDB without a hub around it, with the memory, the threads and the priority that the hub gives a question."""

import os
import time
from pathlib import Path

import duckdb

from swarm_hub.analytics.program import NICER
from swarm_hub.analytics.projection import MEMORY

_opened: list[duckdb.DuckDBPyConnection] = []  # one to a process


def open_copy(path: Path) -> None:
    os.nice(NICER)
    connection = duckdb.connect(str(path), read_only=True, config={"memory_limit": MEMORY, "threads": "1"})
    connection.execute("SET TimeZone = 'UTC'")
    _opened.append(connection)


def ask(sql: str) -> float:
    """Milliseconds until all rows are there."""
    begin = time.monotonic()
    _opened[0].execute(sql).fetchall()
    return (time.monotonic() - begin) * 1000
