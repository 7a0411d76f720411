"""Clouds on loopback: a fake one behind real sockets, whose calls fail by a schedule."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Fault = Literal["before", "after", "time-out", "late", "500", "503", "408", "429"]
"""How a call fails: the connection is cut before anything is done or after it, the answer does not come (`time-out`:
nothing was done, `late`: it was), or the cloud refuses."""
FAULTS: tuple[Fault, ...] = ("before", "after", "time-out", "late", "500", "503", "408", "429")


class Faulty:
    """An ASGI application in front of a fake cloud, which spoils calls as `plan` says of their number (from 0)."""

    def __init__(self, app: ASGIApp, plan: Callable[[int], Fault | None] = lambda _call: None) -> None:
        self._app = app
        self.plan = plan
        self.calls: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        fault = self.plan(len(self.calls))
        self.calls.append(f"{scope['method']} {scope['path']}")
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.isdigit():
            await _refuse(int(fault), send)
            return
        if fault in ("after", "late"):
            await self._app(scope, receive, _into_nothing)
        if fault in ("time-out", "late"):
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await _cut(send)


async def _into_nothing(message: Message) -> None:
    """An answer that is lost on its way."""


async def _refuse(status: int, send: Send) -> None:
    headers = [(b"retry-after", b"0")] if status == 429 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


async def _cut(send: Send) -> None:
    """Close the connection in the middle of an answer: the server does that when less comes than was promised."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"{"})


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The URL at which the application answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
