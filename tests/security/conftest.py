"""An agent at the gateway of a hub, before a scripted model."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.conftest import KEY, Playing, play
from hub.played import played_hub
from scripted_api import ScriptedApi, scripted_api


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
async def agent(tmp_path: Path, api: ScriptedApi) -> AsyncIterator[Playing]:
    async with played_hub(tmp_path, runtime="claude", anthropic_api_key=KEY, anthropic_base_url=api.url) as hub:
        yield await play(hub)
