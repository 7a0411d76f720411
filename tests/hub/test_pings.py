"""A stream with nothing to say says that it is there, so that a dead one can be told from a quiet one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from hub.following import socket
from hub.played import LIMIT, played_hub
from swarm_hub import app, serve


class Listening(ClientConnection):
    """A connection that hears the hub's pings."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pinged = asyncio.Semaphore(0)

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pinged.release()
        super().process_event(event)


async def test_a_socket_is_pinged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert serve.PING == 20
    monkeypatch.setattr(serve, "PING", 0.05)
    async with played_hub(tmp_path) as hub, socket(hub, create_connection=Listening) as ws, asyncio.timeout(LIMIT):
        assert isinstance(ws, Listening)
        for _ in range(3):
            await ws.pinged.acquire()


@pytest.mark.parametrize("path", ["/api/events", "/api/tasks/{}/logs?follow=true"])
async def test_an_event_stream_is_pinged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    assert app.PULSE <= 20
    monkeypatch.setattr(app, "PULSE", 0.05)
    async with played_hub(tmp_path) as hub:
        task = await hub.client.submit({"prompt": "Go", "hold": True})
        headers = {"Accept": "text/event-stream"}
        async with hub.http.stream("GET", path.format(task.id), headers=headers) as response, asyncio.timeout(LIMIT):
            chunks = response.aiter_text()
            assert [await anext(chunks) for _ in range(4)] == [": ping\r\n\r\n"] * 4
