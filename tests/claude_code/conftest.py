"""What the tests of Claude Code ask for: a scripted model, and somebody who has Claude Code and a hub."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claude_code.hosts import ClaudeCode
from hubs import ADMIN_KEY, HubProcess
from scripted_api import ScriptedApi, scripted_api


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
def claude(tmp_path: Path, api: ScriptedApi, hub: HubProcess) -> ClaudeCode:
    return ClaudeCode(tmp_path, api.url, SWARM_URL=hub.url, SWARM_API_KEY=ADMIN_KEY)
