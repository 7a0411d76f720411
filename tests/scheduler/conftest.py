"""Shared by the tests of the scheduler."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("scheduler.clients", "scheduler.laws", "scheduler.states", "scheduler.workers")

from scheduler.desk import Desk  # noqa: E402 - what is imported before cannot be rewritten
from scheduler.inprocess import Moody, Place  # noqa: E402
from scheduler.running import Hub, Time, running_hub  # noqa: E402


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.ledger.remove()


@pytest.fixture
async def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """From here on the test's loop has this time."""
    time = Time()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", time.loop_time)
    return time


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
async def hub(tmp_path: Path, place: Place, time: Time) -> AsyncIterator[Hub]:
    async with running_hub(tmp_path, Moody(place), time) as hub:
        yield hub
