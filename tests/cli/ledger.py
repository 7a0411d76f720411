"""A hub with a few requests to the model in its book, made on days of the test's choice."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple


class Call(NamedTuple):
    """`ended`: RFC 3339; the cost in micro-dollars. A task of that name is made for it."""

    task: str
    agent: str
    model: str
    ended: str
    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    cost: int


def fill(database: Path, calls: Sequence[Call], repos: Sequence[tuple[str, str | None]]) -> None:
    """Put the tasks, each with its repository, and the calls into the database of a hub."""
    with sqlite3.connect(database) as db:
        for at, (id_, repo) in enumerate(repos, 1):
            created = min(_ms(call.ended) for call in calls if call.task == id_)
            db.execute(
                "INSERT INTO tasks (id, spec, prompt, status, type, model, priority, repo, hold, waiting_on, rank,"
                " live, attempts, tries, fresh, log_seq, cost_micro_usd, budget_micro_usd, compute_micro_usd, seq,"
                " created_ms, started_ms, finished_ms)"
                " VALUES (?, '{}', 'p', 'completed', 'code', 'opus', 'low', ?, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, ?,"
                " ?, ?, ?)", (id_, repo, at, created, created, created),
            )  # fmt: skip
            db.execute("INSERT INTO labels (task_id, key, value) VALUES (?, 'team', 'web')", (id_,))
            db.execute("INSERT INTO events VALUES (?, 'task_created', ?, '{}', ?)", (at, id_, created))
        for at, call in enumerate(calls):
            db.execute(
                "INSERT INTO model_calls (id, agent_id, task_id, asked_ms, model, hold_micro_usd, ended_ms, status,"
                " input, output, cache_read, cache_write_5m, cache_write_1h, cost_micro_usd)"
                " VALUES (?, ?, ?, ?, ?, 0, ?, 200, ?, ?, ?, ?, ?, ?)",
                (f"call{at}", call.agent, call.task, _ms(call.ended), call.model, _ms(call.ended), *call[4:]),
            )
    db.close()


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
