"""Shared by the tests of the scheduler."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("scheduler.clients", "scheduler.laws", "scheduler.states", "scheduler.workers")

from scheduler.desk import Desk  # noqa: E402 - what is imported before cannot be rewritten


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.ledger.remove()
