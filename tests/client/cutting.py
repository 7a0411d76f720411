"""A line to the hub that breaks: a proxy on loopback that cuts connections in the middle of answers."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

WHOLE = None
"""A connection that is left alone."""


class CuttingProxy:
    """Of each connection only so many bytes of the answer come through, as `cuts` says for one after another."""

    def __init__(self, url: str, cuts: Iterable[int | None]) -> None:
        target = urlsplit(url)
        self._host, self._port = target.hostname or "", target.port or 0
        self._cuts: Iterator[int | None] = iter(cuts)
        self._carrying: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.url = ""

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._carrying.add(asyncio.create_task(self.carry(reader, writer)))

    async def aclose(self) -> None:
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        left = next(self._cuts, WHOLE)
        hub_reader, hub_writer = await asyncio.open_connection(self._host, self._port)
        asking = asyncio.create_task(_copy(reader, hub_writer))
        try:
            while (left is WHOLE or left > 0) and (data := await hub_reader.read(65_536)):
                writer.write(data if left is WHOLE else data[:left])
                await writer.drain()
                left = left if left is WHOLE else left - len(data)
        except ConnectionError:
            pass  # either side went away, as the other will see
        finally:
            asking.cancel()
            writer.transport.abort()
            hub_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass


@asynccontextmanager
async def cutting(url: str, cuts: Iterable[int | None]) -> AsyncIterator[CuttingProxy]:
    """A proxy to the hub; `proxy.url` is where a client finds it."""
    proxy = CuttingProxy(url, cuts)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.aclose()
