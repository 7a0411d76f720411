"""Requests as lines of the files that Claude Code keeps, whose usage ccusage and its like read: numbers alone.

`CLAUDE_CONFIG_DIR=FOLDER ccusage claude daily` reads `FOLDER/projects/<project>/<session>/<name>.jsonl`.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from swarm_api.client import HubClient
from swarm_cli.export_pages import Days, Rows, pages
from swarm_cli.export_progress import Progress
from swarm_cli.export_usage import usd

Json = dict[str, Any]
_COLUMNS = (
    "task_id, agent_id, strftime(timezone('UTC', ended_at), '%Y-%m-%dT%H:%M:%S.%gZ') AS at, request_id, repo,"
    " coalesce(nullif(model, ''), 'unknown') AS model, input_tokens, output_tokens, cache_read_tokens,"
    " cache_write_5m_tokens, cache_write_1h_tokens, cost_micro_usd"
)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_PAGE = 50_000  # rows: as objects they take fifty times the room of Parquet
_LONGEST = 80  # characters of a folder's name


async def write_requests(hub: HubClient, folder: Path, days: Days, progress: Progress) -> Json:
    """Write a file for each agent, in a folder for each task, in one for each repository; what there is in them."""
    (folder / "projects").mkdir()
    asked = Rows("usage", _COLUMNS, "task_id", "VARCHAR", days.of("day"), days.params)
    requests = cost = 0
    tasks: set[str] = set()
    seqs: list[int] = []
    async for page in pages(hub, asked, "csv", _PAGE):
        rows = csv.DictReader(io.StringIO(page.content.decode()))
        for (task_id, _), of_agent in groupby(rows, key=lambda row: (row["task_id"], row["agent_id"])):
            cost += _write(folder / "projects", list(of_agent))
            tasks.add(task_id)
        requests += page.rows
        seqs.append(page.seq)
        progress.say("usage", requests)
    return {
        "format": "claude-jsonl", "seq": min(seqs, default=0), "requests": requests, "sessions": len(tasks),
        "costMicroUsd": cost,
    }  # fmt: skip


def _write(projects: Path, rows: Sequence[Json]) -> int:
    """What they cost, in micro-dollars."""
    first = rows[0]
    folder = projects / _name(first["repo"] or "scratch") / _name(first["task_id"])
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{_name(first['agent_id'])}.jsonl").open("x", encoding="utf-8") as file:
        # ccusage 20 looks for `"usage":{` before it reads a line: no spaces.
        file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in _lines(rows))
    return sum(_count(row["cost_micro_usd"]) for row in rows)


def _lines(rows: Iterable[Json]) -> Iterable[Json]:
    for row in rows:
        short, long = _count(row["cache_write_5m_tokens"]), _count(row["cache_write_1h_tokens"])
        used = {
            "input_tokens": _count(row["input_tokens"]), "output_tokens": _count(row["output_tokens"]),
            "cache_read_input_tokens": _count(row["cache_read_tokens"]), "cache_creation_input_tokens": short + long,
            "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        }  # fmt: skip
        message = {"id": row["request_id"], "role": "assistant", "model": row["model"], "usage": used}
        yield {
            "type": "assistant", "timestamp": row["at"], "sessionId": row["task_id"], "requestId": row["request_id"],
            "costUSD": usd(_count(row["cost_micro_usd"])), "message": message,
        }  # fmt: skip


def _name(text: str) -> str:
    """A folder's name of what others chose, as Claude Code makes it of a path."""
    return _UNSAFE.sub("-", text)[-_LONGEST:] or "-"


def _count(text: str) -> int:
    return int(text or 0)
