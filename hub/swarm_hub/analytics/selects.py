"""What may be asked: one SELECT of the tables there are. Whatever is not known to be harmless is refused."""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from swarm_hub.analytics.tables import NAMES

MOST = 100_000  # characters
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_SOURCES = frozenset({"SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "PIVOT"})
_MODIFIERS = frozenset({"ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"})
_ORDERS = frozenset({"ORDER_DEFAULT", "ASCENDING", "DESCENDING"})
_PLAIN = _QUERIES | _SOURCES | _MODIFIERS | _ORDERS
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat", "json_each", "json_tree"})
_FUNCTIONS = re.compile(
    r"__.*|pg_.*|has_.*privilege|duckdb_.*|read_.*|query.*|which_.*|(next|curr|set)val|setseed|getvariable|getenv"
    r"|json_(de)?serialize.*|json_execute.*|current_(setting|query|connection|transaction).*|txid_.*|write_log|sleep_ms"
    r"|parse_duckdb.*|in_search_path|format_pg_type|map_to_pg_oid"
)
"""Functions that tell of the process, wait, or run SQL that was not looked at."""


class Refused(Exception):
    """It may not be asked. Its text says why."""


def check(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The text of the one statement, without its semicolon. Raises `Refused`, and `duckdb.Error` for what is no SQL.

    DuckDB counts `WITH x AS (DELETE …) SELECT` among the SELECT statements, so the parsed tree is looked at.
    """
    if len(sql) > MOST:
        raise Refused(f"it is over {MOST:,} characters")
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise Refused(f"one statement is taken, not {len(statements)}")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise Refused(f"only SELECT is taken, not {statements[0].type.name.replace('_', ' ')}")
    text = _without_end(connection, sql)
    _check_tree(_tree(connection, text))
    return text


def _without_end(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The statement up to its semicolon: a comment may stand behind that, and hold others."""
    at = len(sql)
    while (at := sql.rfind(";", 0, at)) >= 0:
        try:
            if not connection.extract_statements(sql[at + 1 :]) and connection.extract_statements(sql[:at]):
                return sql[:at]
        except duckdb.Error:
            continue  # it stood in a text or a comment
    return sql


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    text: str = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()[0][0]
    try:
        tree = json.loads(text)
    except RecursionError:
        raise Refused("it is nested too deeply") from None
    if tree["error"]:
        raise Refused(str(tree["error_message"]))
    return tree["statements"]


def _check_tree(tree: Any) -> None:
    nodes = list(_nodes(tree))
    named = {entry["key"].lower() for node in nodes if "cte_map" in node for entry in node["cte_map"]["map"]}
    if taken := sorted(name for name in named if name not in NAMES and _of_the_system(name)):
        raise Refused(f"{taken[0]} is a name of DuckDB's own")
    for node in nodes:
        _check_functions(node)
        kind = node.get("type")
        if "class" in node or not isinstance(kind, str) or kind in _PLAIN or kind.endswith("_TYPE_INFO"):
            continue
        if kind == "BASE_TABLE":
            _check_table(node, named)
        elif kind == "TABLE_FUNCTION":
            _check_table_function(node)
        else:
            raise Refused(f"{kind.lower().replace('_', ' ')} is not taken")


def _check_table(node: dict[str, Any], named: set[str]) -> None:
    path = node["qualified_name"]["path"]
    name = path[-1].lower()
    if len(path) == 1 and name in named:
        return
    if name not in NAMES or path[:-1] not in ([], ["main"]):
        raise Refused(f"there is no table {'.'.join(path)}; allowed: {', '.join(sorted(NAMES))}")


def _check_table_function(node: dict[str, Any]) -> None:
    name = node["function"]["function_name"].lower() if "function_name" in node["function"] else ""
    if name not in _TABLE_FUNCTIONS:
        raise Refused(f"the table function {name} is not taken; allowed: {', '.join(sorted(_TABLE_FUNCTIONS))}")


def _check_functions(node: dict[str, Any]) -> None:
    name = node.get("function_name")
    if isinstance(name, str) and _FUNCTIONS.fullmatch(name.lower()):
        raise Refused(f"the function {name.lower()} is not taken")


def _of_the_system(name: str) -> bool:
    return name.startswith(("duckdb_", "pg_", "pragma_", "sqlite_"))


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
