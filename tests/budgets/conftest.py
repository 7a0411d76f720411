"""What the tests of budgets ask for: a hub with little money, on a Wednesday at noon that lasts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from budgets.calling import upstream
from budgets.clock import Clock
from hub.played import PlayedHub, played_hub
from scripted_api import ScriptedApi, scripted_api
from swarm_hub import scheduler

MONEY = {"daily_budget_cents": 1_000, "weekly_budget_cents": 5_000, "default_task_budget_cents": 400}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduler looks around more often."""
    monkeypatch.setattr(scheduler, "SWEEP", 0.05)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def hub(tmp_path: Path, clock: Clock) -> AsyncIterator[PlayedHub]:
    """Room for two tasks and half a third on a day, each with a budget of $4."""
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        yield hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlayedHub]:
    """One hub for all tests of a module that leave nothing in it."""
    async with played_hub(tmp_path_factory.mktemp("shared"), Clock(), **MONEY) as hub:
        yield hub


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
async def metered(tmp_path: Path, clock: Clock, api: ScriptedApi) -> AsyncIterator[PlayedHub]:
    """The same money on a hub whose gateway counts."""
    async with played_hub(tmp_path, clock, **MONEY, **upstream(api)) as hub:
        yield hub
