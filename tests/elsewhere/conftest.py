"""A hub whose agents run on machines of a Fly that is on this one: real workers, each with a disk of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from elsewhere.machines import RemoteHub, remote_hub
from swarm_api.client import HubClient


@pytest.fixture
async def fly(tmp_path: Path) -> AsyncIterator[RemoteHub]:
    async with remote_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
async def client(fly: RemoteHub) -> AsyncIterator[HubClient]:
    async with fly.client() as client:
        yield client
