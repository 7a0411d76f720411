"""An answer on its way from the model to the runtime: each piece goes on as it comes, and is metered."""

import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from typing import Any, Literal

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from swarm_hub.gateway.meter import Meter, meter_of
from swarm_hub.gateway.upstream import answering
from swarm_hub.leaving import left, unless_left

End = Literal["whole", "broken", "left"]
"""How an answer ended: as it should, by its connection, or because the runtime left or has none to hear it for."""

Settle = Callable[[Meter, int | None, End], Awaitable[None]]
"""Gets the milliseconds to the first piece, too."""


class Passing(Response):
    """Sends the answer on. `settle` is called once, whatever happens on the way, before the runtime hears the end."""

    def __init__(
        self, answer: httpx.Response, begun: float, settle: Settle, ended: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """`begun`: when it was asked, on the monotonic clock. `ended` returns when nobody may hear more."""
        self.status_code = answer.status_code
        self.background = None
        self.init_headers(answering(answer.headers))
        if "content-length" in self.headers:
            del self.headers["content-length"]
        self._answer = answer
        self._meter = meter_of(answer.headers.get("content-type", ""))
        self._begun = begun
        self._first: int | None = None
        self._settle = settle
        self._ended = ended
        self.afterwards = ExitStack()  # closed when it has ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        with self.afterwards:
            await self._go(receive, send)

    async def _go(self, receive: Receive, send: Send) -> None:
        end: End = "left"
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            heard: Coroutine[Any, Any, End | None] = unless_left(self._pass(send), left(receive))
            end = await unless_left(heard, self._ended()) or "left"
        finally:
            await self._answer.aclose()
            self._meter.end()
            await self._settle(self._meter, self._first, end)
        # Of a broken one the connection below is broken off, as the one above was: the runtime asks again.
        if end == "whole":
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pass(self, send: Send) -> End:
        try:
            await self._pass_pieces(send)
        except httpx.TransportError:
            return "broken"
        return "whole"

    async def _pass_pieces(self, send: Send) -> None:
        async for piece in self._answer.aiter_raw():
            if self._first is None:
                self._first = round((time.monotonic() - self._begun) * 1000)
            self._meter.feed(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
