"""What the MCP server's tests ask for: a hub in the test's loop, whose workers the test plays."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.played import PlayedHub, played_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub
