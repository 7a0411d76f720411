"""A database of the version before budgets is brought up to date with what was spent, by label too."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from budgets.clock import Clock
from budgets.conftest import MONEY
from budgets.spending import limit, reserved
from hub.older import make_database
from hub.played import PlayedHub, Worker, played_hub
from hub.test_database import SPEC
from swarm_api.budget import LabelLimit

TASK, AGENT = "tsk_0d4eq1nv01baw3bv", "local-agent-0123abcd"
OTHER = "tsk_0d4eq1nv01baw3bw"
YESTERDAY, TODAY = Clock("2026-11-17T23:59:59Z")(), Clock("2026-11-18T00:00:00Z")()

Row = Mapping[str, Any]
RUNNING: Row = {
    "id": TASK, "spec": SPEC, "prompt": "an old one", "name": "old", "status": "running", "type": "code",
    "model": "sonnet", "priority": "normal", "repo": None, "hold": 0, "waiting_on": 0, "rank": 1, "live": 1,
    "agent_id": AGENT, "attempts": 1, "tries": 1, "fresh": 0, "cancel_ms": None, "cause": None, "session_id": None,
    "log_seq": 0, "usage": None, "cost_micro_usd": 700_000, "result": None, "seq": 1, "created_ms": YESTERDAY,
    "started_ms": YESTERDAY, "finished_ms": None,
}  # fmt: skip
HELD: Row = {**RUNNING, "id": OTHER, "status": "pending", "hold": 1, "live": 0, "agent_id": None, "cost_micro_usd": 0}
LIVE: Row = {
    "id": AGENT, "task_id": TASK, "attempt": 1, "fresh": 0, "provider": "local", "region": None, "tier": "standard",
    "status": "running", "handle": f'{{"agent":"{AGENT}"}}', "released": 0, "incarnation": "the-first-one",
    "stored_n": 0, "last_c": 0, "usage": None, "cost_micro_usd": 700_000, "turns": 0, "last_tool": None, "files": None,
    "cpu_percent": None, "rss_mb": None, "claimed_ms": YESTERDAY, "deadline_ms": 2 * TODAY, "stop_ms": None,
    "heartbeat_ms": YESTERDAY, "finished_ms": None,
}  # fmt: skip


def call(name: str, ended_ms: int | None, cost: int, task: str = TASK) -> Row:
    return {
        "id": name, "agent_id": AGENT, "task_id": task, "asked_ms": YESTERDAY, "model": "claude-sonnet-4-5",
        "hold_micro_usd": 50_000, "ended_ms": ended_ms, "cost_micro_usd": cost, "input": 0, "output": 0,
        "cache_read": 0, "cache_write_5m": 0, "cache_write_1h": 0,
    }  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with a database of the version before, in which an agent runs and a call is open."""
    data = tmp_path / "data"
    make_database(data, "0004")
    with closing(sqlite3.connect(data / "hub.db")) as db, db:
        for table, row in (
            ("tasks", RUNNING), ("tasks", HELD), ("agents", LIVE),
            ("labels", {"task_id": TASK, "key": "team", "value": "red"}),
            ("labels", {"task_id": TASK, "key": "kind", "value": "a=b 100% 'q'"}),
            ("model_calls", call("a", YESTERDAY, 300_000)),
            ("model_calls", call("b", TODAY, 250_000)),
            ("model_calls", call("c", TODAY + 1, 150_000)),
            ("model_calls", call("d", TODAY, 20_000, OTHER)),
            ("model_calls", call("e", TODAY, 0)),
            ("model_calls", call("f", None, 0)),
        ):  # fmt: skip
            names, marks = ",".join(row), ",".join("?" * len(row))
            db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608  # our own
    return tmp_path


async def spent(hub: PlayedHub) -> tuple[int, int]:
    shown = await hub.client.budget()
    return shown.daily.spent_micro_usd, shown.weekly.spent_micro_usd


OPEN = 50_000  # of the call that nobody knows the end of: it is settled at its most when the hub starts


async def test_what_was_spent_counts_on_its_day_and_in_its_week(old: Path, clock: Clock) -> None:
    async with played_hub(old, clock, **MONEY) as hub:
        assert await spent(hub) == (420_000 + OPEN, 720_000 + OPEN)


@pytest.mark.parametrize("label", ["team=red", "kind=a=b 100% 'q'"])
async def test_it_counts_for_the_labels_of_its_task(old: Path, clock: Clock, label: str) -> None:
    async with played_hub(old, clock, **MONEY) as hub:
        shown = await limit(hub, LabelLimit(label=label, limit_cents=100, period="week"))
        assert shown.labels[0].spent_micro_usd == 700_000 + OPEN


async def test_a_task_has_the_budget_that_was_the_default(old: Path, clock: Clock) -> None:
    async with played_hub(old, clock, **MONEY) as hub:
        assert (await hub.client.task(OTHER)).budget_cents == 500


async def test_the_rest_of_it_is_set_aside_for_an_agent_that_runs(old: Path, clock: Clock) -> None:
    async with played_hub(old, clock, **MONEY) as hub:
        worker = Worker(hub.http, hub.stage, AGENT, hub.token(AGENT))
        assert await reserved(hub, worker) == 500 - 70 - 5
        await worker.finish()
        assert (await hub.client.budget()).daily.reserved_cents == 0
        assert (await hub.client.task(TASK)).status == "completed"


async def test_it_is_brought_up_to_date_once(old: Path, clock: Clock) -> None:
    for _ in range(2):
        async with played_hub(old, clock, **MONEY) as hub:
            assert await spent(hub) == (420_000 + OPEN, 720_000 + OPEN)
