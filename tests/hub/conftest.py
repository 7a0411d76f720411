"""What the hub's own tests ask for: a hub in the test's loop, whose workers the test plays."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.played import PlayedHub, played_hub
from swarm_api.client import HubClient
from swarm_hub import scheduler


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduler looks around more often: a retry waits until the last attempt's worker is seen to have left."""
    monkeypatch.setattr(scheduler, "SWEEP", 0.05)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def client(hub: PlayedHub) -> HubClient:
    return hub.client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlayedHub]:
    """One hub for all tests of a module, which leave nothing in it that another would see."""
    async with played_hub(tmp_path_factory.mktemp("shared")) as hub:
        yield hub


@pytest.fixture
def nothing_stored(shared: PlayedHub) -> Iterator[None]:
    """Whatever the test sends leaves no trace: every task that is stored has an event."""
    before = shared.parts.journal.head
    yield
    assert shared.parts.journal.head == before
