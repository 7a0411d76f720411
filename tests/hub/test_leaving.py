"""Clients that leave without a word are no trouble: nothing of it is a failure, and nothing of them stays."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.following import happen, receive, socket
from hub.played import LIMIT, played_hub
from hubs import ADMIN_KEY
from swarm_hub.routes import socket as route


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is logged as a warning or worse, to the end of the hub."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING] == []


async def leave(url: str, said: str) -> None:
    """Say something on a connection of one's own, and break it off."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    line, rest = said.split("\n", 1)
    writer.write(f"{line}\nAuthorization: Bearer {ADMIN_KEY}\n{rest}".replace("\n", "\r\n").encode())
    await writer.drain()
    if said.startswith("GET"):
        await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    await asyncio.wait([asyncio.ensure_future(reader.read())])


@pytest.mark.usefixtures("quiet")
async def test_in_the_middle_of_a_body(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        for path in ("/api/tasks", "/api/tasks/tsk_0000000000000000/cancel", "/nothing"):
            await leave(hub.url, f'POST {path} HTTP/1.1\nHost: localhost\nContent-Length: 1000\n\n{{"prompt": "a')
        assert (await hub.client.health()).status == "ok"


@pytest.mark.usefixtures("quiet")
async def test_in_the_middle_of_a_stream(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        for path in ("/api/events", "/api/events?after=0"):
            await leave(hub.url, f"GET {path} HTTP/1.1\nHost: localhost\nAccept: text/event-stream\n\n")
        assert len(await happen(hub, 3)) == 3


@pytest.mark.usefixtures("quiet")
async def test_right_after_a_handshake(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        for query in ("", "?after=0", "?after=99", "?bad=1"):
            async with socket(hub, query) as ws:
                ws.transport.abort()
                await ws.wait_closed()
        assert len(await happen(hub, 3)) == 3


@pytest.mark.usefixtures("quiet")
async def test_while_the_hub_waits_for_a_slow_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "SLOW", 0)
    async with played_hub(tmp_path) as hub:
        async with socket(hub, "?after=0", max_queue=1) as ws, asyncio.timeout(LIMIT):
            await happen(hub, 1_000, repo=f"o/{'r' * 4_000}")
            await receive(ws)
            ws.transport.abort()
            await ws.wait_closed()
        assert len(await happen(hub, 3)) == 3
