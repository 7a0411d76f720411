"""How long a connection may take to say what it wants, and how long-winded it may be: neither has a limit in uvicorn.

A client that says nothing, or never ends, costs a file descriptor and memory before anybody knows who it is.
"""

import asyncio
from math import inf

from pydantic_core import to_json
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from swarm_api.errors import PROBLEM_JSON

HEAD_SECONDS = 15.0  # from the first byte, or from the connection, to the end of the head
BODY_SECONDS = 120.0  # from there to the end of the body: 10 MB at 1 Mbit/s take 84
MAX_HEAD = 65_536  # bytes, beside the piece that it begins with

_TOO_LONG = to_json({
    "type": "about:blank", "title": "Request Header Fields Too Large", "status": 431,
    "detail": f"the head of a request may have {MAX_HEAD:,} bytes", "code": "too_large",
})  # fmt: skip
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (PROBLEM_JSON.encode(), len(_TOO_LONG), _TOO_LONG)
)


class Connection(HttpToolsProtocol):
    """One connection. Between two requests it is uvicorn that loses patience."""

    _deadline = inf  # on the loop's clock
    _head = False  # whether one has begun and not ended
    _begun = False  # by the last piece that came
    _length = 0  # of the pieces since, which are all of that head
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.time() + HEAD_SECONDS
        self._timer = self.loop.call_later(HEAD_SECONDS, self._look)

    def data_received(self, data: bytes) -> None:
        self._begun = False
        super().data_received(data)
        if self._head and not self._begun:
            self._length += len(data)
            if self._length > MAX_HEAD and not self.transport.is_closing():
                self.transport.write(_REFUSAL)
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._deadline = self.loop.time() + HEAD_SECONDS
        self._head = self._begun = True
        self._length = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value.rstrip(b" \t"))  # RFC 9110, 5.5: space around a value is no part of it

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._deadline = self.loop.time() + BODY_SECONDS
        self._head = False

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._deadline = inf

    def handle_websocket_upgrade(self) -> None:
        self._forget()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Close it when its time is up. One timer for all requests of a connection: one for each would cost more."""
        now = self.loop.time()
        if now >= self._deadline:
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(min(self._deadline - now, HEAD_SECONDS), self._look)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
