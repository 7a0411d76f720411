"""A scripted API, a place to work, and a trap for whatever tries to leave the machine."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from claude.driving import KEY, make_place, processes
from hubs import HubProcess
from scripted_api import ScriptedApi, scripted_api
from swarm_worker.runtimes import Place


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
async def proxy() -> AsyncIterator[str]:
    """The address of a proxy that nobody may ask: at the end no connection was made to it."""
    made: list[asyncio.StreamWriter] = []

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(writer)
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert made == []


@pytest.fixture
def place(tmp_path: Path, proxy: str) -> Iterator[Place]:
    place = make_place(tmp_path, HTTPS_PROXY=proxy, HTTP_PROXY=proxy, NO_PROXY="127.0.0.1")
    yield place
    for process in processes(place):  # what a killed CLI leaves behind a worker would end
        process.kill()


@pytest.fixture
def hub(start_hub: Callable[..., HubProcess], api: ScriptedApi, proxy: str) -> HubProcess:
    """A hub whose agents are Claude, and whose every way out of the machine is a trap."""
    trap = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": "127.0.0.1"}
    return start_hub(SWARM_RUNTIME="claude", ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=api.url, **trap)
