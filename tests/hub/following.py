"""Following the hub's streams frame by frame, without the client that would resume them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from httpx_sse import ServerSentEvent, aconnect_sse
from sqlalchemy import delete
from websockets.asyncio.client import ClientConnection, connect

from hub.played import LIMIT, PlayedHub
from hubs import AUTHORIZED
from swarm_hub.store import schema

Json = dict[str, Any]


class Stream:
    """One SSE connection."""

    def __init__(self, frames: AsyncIterator[ServerSentEvent]) -> None:
        self._frames = frames

    async def frame(self) -> ServerSentEvent:
        """The next frame that is no ping. Raises `StopAsyncIteration` when the hub has ended the stream."""
        async with asyncio.timeout(LIMIT):
            while not (frame := await anext(self._frames)).data:
                pass
        return frame

    async def next(self) -> Json:
        frame = await self.frame()
        body: Json = json.loads(frame.data)
        assert frame.id == str(body["seq"])
        return body

    async def seqs(self, count: int) -> list[int]:
        return [(await self.next())["seq"] for _ in range(count)]


@asynccontextmanager
async def stream(hub: PlayedHub, path: str, **headers: str) -> AsyncIterator[Stream]:
    """A connection on which the hub has answered already: what happens from now on is live."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aconnect_sse(hub.http, "GET", path, headers=named, timeout=LIMIT) as source:
        assert source.response.status_code == 200, await source.response.aread()
        yield Stream(source.aiter_sse())


@asynccontextmanager
async def socket(hub: PlayedHub, query: str = "", **options: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket whose handshake is done. Ask it something, or read from it, before you rely on its being live."""
    headers = {**AUTHORIZED, **options.pop("additional_headers", {})}
    address = f"{hub.url.replace('http', 'ws')}/ws{query}"
    async with connect(address, proxy=None, additional_headers=headers, **options) as connection:
        yield connection


async def receive(connection: ClientConnection) -> Json:
    async with asyncio.timeout(LIMIT):
        message: Json = json.loads(await connection.recv())
    return message


async def happen(hub: PlayedHub, count: int = 1, **fields: Any) -> list[int]:
    """The seqs of so many new events, one for each new task."""
    tasks = await hub.client.submit_batch({"prompt": f"Number {i}", "hold": True, **fields} for i in range(count))
    return [task.seq for task in tasks]


async def forget(hub: PlayedHub, before: int) -> None:
    """Have the journal keep nothing older than an event, as a hub does that has run for long."""
    gone = delete(schema.events).where(schema.events.c.seq < before)
    await hub.parts.store.write(lambda tx: tx.execute(gone).rowcount)
