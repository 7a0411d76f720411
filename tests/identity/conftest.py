"""What the tests of identity ask for: a hub in the test's loop, one of its own or one for a module."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.played import PlayedHub, played_hub
from identity.asking import forget_limits
from identity.credentials import SECRET, Wallet, fill_wallet


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path, jwt_secret=(SECRET,)) as hub:
        yield hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlayedHub]:
    """One hub for all tests of a module."""
    async with played_hub(tmp_path_factory.mktemp("shared"), jwt_secret=(SECRET,), max_parallel_agents=1_000) as hub:
        yield hub


@pytest.fixture
def rested(shared: PlayedHub) -> Iterator[PlayedHub]:
    """The hub of the module, to which nobody has come for a while."""
    clock = shared.parts.identity.clock
    forget_limits(shared)
    yield shared
    shared.parts.identity.clock = clock


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wallet(shared: PlayedHub) -> Wallet:
    """Every credential that the walk shows, good ones and bad ones."""
    return await fill_wallet(shared)
