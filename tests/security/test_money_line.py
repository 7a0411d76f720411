"""A long line of tasks without room does not keep the hub busy with looking at it."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row

from hub.played import played_hub
from swarm_hub import scheduler
from swarm_hub.claims import Claimed, Place, claim_ready
from swarm_hub.endings import unreleased
from swarm_hub.store.transaction import Transaction
from waiting import until


async def test_what_nothing_was_heard_of_is_seldom_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 100,000 of them a look takes the writer a second, and all else would wait for it."""
    looks = sweeps = 0

    def look(tx: Transaction, place: Place) -> tuple[list[Claimed], bool]:
        nonlocal looks
        looks += 1
        return claim_ready(tx, place)

    def sweep(connection: Connection) -> list[Row[Any]]:
        nonlocal sweeps
        sweeps += 1
        return unreleased(connection)

    monkeypatch.setattr(scheduler, "SWEEP", 0.02)
    monkeypatch.setattr(scheduler, "SELDOM", 10**9)
    async with played_hub(tmp_path, daily_budget_cents=100) as hub:
        for _ in range(3):
            await hub.client.submit({"prompt": "Go", "budgetCents": 200})
        await hub.parts.scheduler.tick()
        monkeypatch.setattr(scheduler, "claim_ready", look)
        monkeypatch.setattr("swarm_hub.endings.unreleased", sweep)
        await until(lambda: sweeps >= 30)
    assert looks <= 1  # what the submissions had it hear


async def test_what_a_new_limit_lets_start_starts_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "SELDOM", 10**9)
    async with played_hub(tmp_path, daily_budget_cents=100) as hub:
        task = await hub.client.submit({"prompt": "Go", "budgetCents": 200})
        answer = await hub.http.put("/api/budget", json={"dailyCents": 1_000})
        assert answer.status_code == 200
        await hub.worker(task.id)
