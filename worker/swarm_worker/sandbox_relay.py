"""The one way out of a sandbox: a socket that leads to the model's endpoint and nowhere else.

An endpoint on loopback is reached in the sandbox at its own address. Any other one is asked for as of a proxy, and the
relay refuses what is not exactly that endpoint. Where the machine itself needs a proxy, the relay asks that one.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from swarm_worker.sandbox_endpoint import Endpoint, Refused, Streams, connect, judge

CHUNK = 65_536


@asynccontextmanager
async def relay(folder: Path, endpoint: Endpoint) -> AsyncIterator[Path]:
    """The relay's socket, in a folder that nobody else gets at. It passes on until the block ends."""
    path = folder / "relay"
    path.unlink(missing_ok=True)
    passing = _Relay(endpoint)
    server = await asyncio.start_unix_server(passing.serve, sock=_listener(path))
    try:
        yield path
    finally:
        server.close()
        await passing.end()
        path.unlink(missing_ok=True)


def _listener(path: Path) -> socket.socket:
    """By way of the folder's descriptor: the name of a socket has 107 characters at most, and paths are longer."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
    return listener


class _Relay:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # nosec B101  # for the type checker: such a callback is a task
        self._serving.add(task)
        try:
            await self._serve((reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # one of the two ends has gone away, or speaks of something else than HTTP
        finally:
            self._serving.discard(task)
            writer.close()

    async def end(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, inside: Streams) -> None:
        if not self._endpoint.by_proxy:
            outside = await asyncio.open_connection(self._endpoint.host, self._endpoint.port)
            return await _join(inside, outside)
        head = await inside[0].readuntil(b"\r\n\r\n")
        try:
            tunnel = judge(head, self._endpoint)
            outside = await connect(self._endpoint)
        except Refused as refused:
            inside[1].write(f"HTTP/1.1 {refused}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return await inside[1].drain()
        if tunnel:
            inside[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            outside[1].write(head)
        return await _join(inside, outside)


async def _join(one: Streams, other: Streams) -> None:
    """Pass on in both directions, until both have ended."""
    try:
        await asyncio.gather(_pump(one[0], other[1]), _pump(other[0], one[1]))
    finally:
        other[1].close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(CHUNK):
        sink.write(chunk)
        await sink.drain()
    with suppress(OSError):
        sink.write_eof()
