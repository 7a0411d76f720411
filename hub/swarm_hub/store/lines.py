"""Reading the log of a task: so many lines, but no more than memory bears: one may be as long as a thousand others."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from swarm_hub.store import schema

MOST = 8_000_000  # characters of text and data in one reading


def read_lines(connection: Connection, task_id: str, after: int, limit: int) -> Sequence[RowMapping]:
    """The lines after a number: at most `limit`, and at least one if there is any."""
    line = schema.log_lines
    query = select(line).where(line.c.task_id == task_id, line.c.seq > after).order_by(line.c.seq).limit(limit)
    result = connection.execute(query).mappings()
    rows: list[RowMapping] = []
    size = 0
    for row in result:
        rows.append(row)
        size += len(row["text"]) + len(row["data"] or "")
        if size > MOST:
            break
    result.close()
    return rows
