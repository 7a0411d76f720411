"""Server-sent events on bare ASGI: one task to send and one to notice that the reader has left.

A library's response needs four tasks and twice the memory for each stream, and a thousand of them are ours to serve.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from swarm_hub.leaving import left, unless_left
from swarm_hub.store.entries import Entry

PING = b": ping\r\n\r\n"
END = b"event: end\r\ndata: {}\r\n\r\n"


def chunk(entries: list[Entry]) -> bytes:
    """Entries as frames whose `id` is their number."""
    return b"".join(b"id: %d\r\ndata: %s\r\n\r\n" % (entry.seq, entry.frame) for entry in entries)


class EventStream(Response):
    """Sends what an iterator yields, each chunk at once, until it ends or the reader leaves."""

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        body = self._send(send) if scope["method"] != "HEAD" else _finish(send)
        await unless_left(body, left(receive))

    async def _send(self, send: Send) -> None:
        async with aclosing(self._chunks) as chunks:
            async for piece in chunks:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await _finish(send)


async def _finish(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})
