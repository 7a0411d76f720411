"""An httpx transport that ends in this process: what is served beside the API asks the API itself, as its caller."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
from starlette.types import ASGIApp, Message, Scope

BACKLOG = 16  # pieces of an answer that may wait for whoever reads it


class Inside(httpx.AsyncBaseTransport):
    """Requests of whoever `outer` says: with the credential, and from the address, of that request from outside.

    Answers are streamed, which `httpx.ASGITransport` does not do. What fails in the application is raised.
    """

    def __init__(self, app: ASGIApp, outer: Callable[[], Scope]) -> None:
        self._app = app
        self._outer = outer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(await request.aread())
        running = asyncio.create_task(self._answer(self._scope(request), exchange))
        try:
            start = await exchange.said.get()
        except BaseException:  # whoever asked has left before there was an answer
            await _Body(exchange, running).aclose()
            raise
        if start is None:
            running.result()
            raise RuntimeError("the application said nothing")
        return httpx.Response(start["status"], headers=start["headers"], stream=_Body(exchange, running))

    async def _answer(self, scope: Scope, exchange: "_Exchange") -> None:
        try:
            await self._app(scope, exchange.receive, exchange.said.put)
        finally:
            exchange.over.set()
            if exchange.said.empty():
                exchange.said.put_nowait(None)

    def _scope(self, request: httpx.Request) -> Scope:
        outer = self._outer()
        headers = [(name.lower(), value) for name, value in request.headers.raw if name.lower() != b"authorization"]
        headers += [(name, value) for name, value in outer["headers"] if name == b"authorization"]
        return {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method,
            "scheme": outer["scheme"], "path": request.url.path, "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query, "root_path": "", "headers": headers,
            "client": outer.get("client"), "server": outer.get("server"), "extensions": {},
        }  # fmt: skip


class _Exchange:
    """One request and its answer, between the two sides."""

    def __init__(self, body: bytes) -> None:
        self.said: asyncio.Queue[Message | None] = asyncio.Queue(BACKLOG)
        self.over = asyncio.Event()
        self._body: bytes | None = body

    async def receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.over.wait()
        return {"type": "http.disconnect"}


class _Body(httpx.AsyncByteStream):
    def __init__(self, exchange: _Exchange, running: "asyncio.Task[None]") -> None:
        self._exchange = exchange
        self._running = running

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self._exchange.said.get()) is not None:
            yield message.get("body", b"")
            if not message.get("more_body"):
                return
        self._running.result()

    async def aclose(self) -> None:
        self._exchange.over.set()
        self._running.cancel()
        await asyncio.wait({self._running})
