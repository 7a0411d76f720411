"""The tool that answers questions in SQL."""

from typing import Annotated, Any

from pydantic import Field

from swarm_api.analytics import QueryOut, SchemaOut
from swarm_api.client import HubClient
from swarm_mcp import telling


class Asking:
    def __init__(self, hub: HubClient) -> None:
        self._hub = hub

    async def query(
        self,
        sql: Annotated[
            str | None, Field(description="One SELECT (DuckDB). None: the tables and their columns.")
        ] = None,
        limit: Annotated[int, Field(ge=1, le=1_000, description="Rows.")] = 100,
    ) -> str:
        if sql is None:
            return schema(await self._hub.schema())
        return rows(await self._hub.query(sql, limit=limit))


def rows(answer: QueryOut) -> str:
    """A table with tabs between its columns: a third of the tokens of JSON."""
    names = "\t".join(telling.clean(column.name) for column in answer.columns)
    told = [names, *("\t".join(map(_cell, row)) for row in answer.rows)]
    told.append(
        f"({len(answer.rows)} rows" + (", there are more: raise limit, or aggregate)" if answer.truncated else ")")
    )
    return telling.cut("\n".join(told), "aggregate, or choose fewer columns")


def schema(known: SchemaOut) -> str:
    """Each table with its columns, in a line or two."""
    return "\n".join(
        f"{table.name}: {table.description}\n  " + ", ".join(f"{column.name} {column.type}" for column in table.columns)
        for table in known.tables
    )


def _cell(value: Any) -> str:
    return "" if value is None else " ".join(telling.clean(str(value)).split())
