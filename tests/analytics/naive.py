"""The projection's tables worked out a second time: row by row from all that the hub's database holds."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
from sqlalchemy import Connection, select

from swarm_api.tasks import Result, Usage
from swarm_hub.analytics.tables import TABLES
from swarm_hub.store import schema

Rows = Counter[tuple[Any, ...]]
TOKENS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


def projected(connection: duckdb.DuckDBPyConnection) -> dict[str, Rows]:
    """What a projection holds: times as milliseconds, days as text."""
    shown = {"TIMESTAMPTZ": "epoch_ms({})", "DATE": "{}::VARCHAR"}
    found = {}
    for table in TABLES:
        columns = ", ".join(shown.get(column.type, "{}").format(f'"{column.name}"') for column in table.columns)
        found[table.name] = Counter(connection.execute(f"SELECT {columns} FROM {table.name}").fetchall())  # noqa: S608
    return found


class Naive:
    """Of everything at once, without a cursor, by the models of the API."""

    def __init__(self, connection: Connection, zone: ZoneInfo) -> None:
        self._connection = connection
        self._zone = zone
        self._tasks = {row.id: row for row in self._all(schema.tasks)}
        self._agents = self._all(schema.agents)
        self._calls = [call for call in self._all(schema.model_calls) if call.ended_ms is not None]
        self._lines = self._all(schema.log_lines)

    def tables(self) -> dict[str, Rows]:
        made: dict[str, Iterable[Mapping[str, Any]]] = {
            "tasks": [self._task(row) for row in self._tasks.values()],
            "labels": [dict(row._mapping) for row in self._all(schema.labels)],
            "dependencies": [dict(row._mapping) for row in self._all(schema.dependencies)],
            "agents": [self._agent(row) for row in self._agents],
            "usage": [*map(self._metered, self._calls), *(row for agent in self._agents for row in self._rest(agent))],
            "spending": [self._spent(row) for row in self._all(schema.spent)],
            "budgets": [self._budget(row) for row in self._all(schema.events) if row.type.startswith("budget_")],
            "events": [self._event(row) for row in self._all(schema.events)],
            "tool_calls": [self._tool(line) for line in self._lines if (line.data or "").startswith('{"tool"')],
            "log_volume": self._volume(),
            "projection": [
                {"seq": max((row.seq for row in self._all(schema.events)), default=0), "time_zone": self._zone.key}
            ],
        }
        return {
            table.name: Counter(tuple(row[column.name] for column in table.columns) for row in made[table.name])
            for table in TABLES
        }

    def _all(self, table: Any) -> list[Any]:
        return list(self._connection.execute(select(table)).all())

    def _budget(self, row: Any) -> dict[str, Any]:
        told = json.loads(row.payload)
        return {
            "seq": row.seq, "type": row.type, "task_id": row.task_id, "happened_at": row.at_ms,
            "scope": told["scope"], "label": told.get("label"),
            "limit_micro_usd": told["limitCents"] * 10_000, "spent_micro_usd": told["spentCents"] * 10_000,
        }  # fmt: skip

    def _task(self, row: Any) -> dict[str, Any]:
        result = Result.model_validate_json(row.result) if row.result else None
        begun, ended = row.started_ms, row.finished_ms
        return {
            **row._mapping,
            **_tokens(row),
            "task_id": row.id,
            "result": result and result.status,
            "error_code": result and result.error and result.error.code,
            "tier": {"docs": "light"}.get(row.type, "standard"),
            "created_at": row.created_ms,
            "started_at": begun,
            "finished_at": ended,
            "waited_ms": begun and begun - row.created_ms,
            "duration_ms": ended - begun if begun and ended else None,
            "turns": result.turns if result else 0,
            "files_changed": len(result.files_changed) if result else 0,
            "additions": result.additions if result else 0,
            "deletions": result.deletions if result else 0,
            "log_lines": sum(line.task_id == row.id for line in self._lines),
        }

    def _agent(self, row: Any) -> dict[str, Any]:
        return {
            **row._mapping,
            **_tokens(row),
            "agent_id": row.id,
            "claimed_at": row.claimed_ms,
            "finished_at": row.finished_ms,
            "duration_ms": row.finished_ms and row.finished_ms - row.claimed_ms,
            "files_touched": len(json.loads(row.files or "[]")),
        }

    def _metered(self, call: Any) -> dict[str, Any]:
        return {
            **call._mapping,
            **{f"{name}_tokens": getattr(call, name) for name in TOKENS},
            **self._of_task(call.task_id),
            "request_id": call.id,
            "asked_at": call.asked_ms,
            "ended_at": call.ended_ms,
            "day": self._day(call.ended_ms),
            "duration_ms": call.ended_ms - call.asked_ms,
            "http_status": call.status,
            "basis": "estimated" if call.estimated else "metered",
        }

    def _rest(self, agent: Any) -> list[dict[str, Any]]:
        """What an agent used and no call of its accounts for."""
        told = agent.finished_ms or agent.heartbeat_ms or agent.claimed_ms
        rest = []
        for model, used in _usage(agent).by_model.items():
            calls = [call for call in self._calls if (call.agent_id, call.model) == (agent.id, model)]
            left = {f"{name}_tokens": getattr(used, name) - sum(getattr(c, name) for c in calls) for name in TOKENS}
            left["cost_micro_usd"] = used.cost_micro_usd - sum(call.cost_micro_usd for call in calls)
            if any(left.values()):
                rest.append({
                    **left, **self._of_task(agent.task_id), "request_id": f"{agent.id}/{model}", "agent_id": agent.id,
                    "model": model, "asked_at": agent.claimed_ms, "ended_at": told, "day": self._day(told),
                    "duration_ms": None, "first_ms": None, "http_status": None, "stop_reason": None,
                    "basis": "reported",
                })  # fmt: skip
        return rest

    def _of_task(self, task_id: str) -> dict[str, Any]:
        task = self._tasks[task_id]
        return {"task_id": task.id, "type": task.type, "repo": task.repo}

    def _spent(self, row: Any) -> dict[str, Any]:
        key, value = row.label.split("=") if row.label else (None, None)
        begins = row.quarter * 15 * 60 * 1000
        day = self._day(begins)
        return {"quarter": begins, "day": day, "key": key, "value": value, "spent_micro_usd": row.micro_usd}

    def _event(self, row: Any) -> dict[str, Any]:
        told = json.loads(row.payload)
        return {
            **row._mapping,
            "agent_id": told.get("agentId"),
            "status": told.get("status"),
            "error_code": (told.get("error") or {}).get("code"),
            "happened_at": row.at_ms,
        }

    def _tool(self, line: Any) -> dict[str, Any]:
        told = json.loads(line.data)
        answers = [
            other for other in self._lines
            if other.agent_id == line.agent_id and other.data == f'{{"toolUseId":"{told["toolUseId"]}","isError":true}}'
        ]  # fmt: skip
        ended = min((other.at_ms for other in answers), default=None)
        return {
            "task_id": line.task_id, "agent_id": line.agent_id, "line": line.seq, "tool": told["tool"],
            "tool_use_id": told["toolUseId"], "parent_id": None, "started_at": line.at_ms, "finished_at": ended,
            "failed": True if answers else None, "duration_ms": None if ended is None else ended - line.at_ms,
        }  # fmt: skip

    def _volume(self) -> list[dict[str, Any]]:
        lines: Counter[tuple[Any, ...]] = Counter()
        characters: Counter[tuple[Any, ...]] = Counter()
        for line in self._lines:
            key = (line.task_id, line.agent_id, line.stream, line.at_ms // 3_600_000 * 3_600_000)
            lines[key] += 1
            characters[key] += len(line.text)
        names = ("task_id", "agent_id", "stream", "hour")
        return [
            {**dict(zip(names, key, strict=True)), "lines": lines[key], "characters": characters[key]} for key in lines
        ]

    def _day(self, ms: int) -> str:
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(self._zone).strftime("%Y-%m-%d")


def _usage(row: Any) -> Usage:
    return Usage.model_validate_json(row.usage) if row.usage else Usage()


def _tokens(row: Any) -> dict[str, int]:
    return {f"{name}_tokens": getattr(_usage(row), name) for name in TOKENS}
