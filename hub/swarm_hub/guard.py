"""What every request passes first: is it for us, and does no web page send it. Pure ASGI: a middleware class of
Starlette's own costs six times as much."""

import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar
from itertools import count
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from swarm_api.errors import Forbidden
from swarm_hub.problems import problem

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="-")
_GIVEN_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")


class Guard:
    """Refuses other hosts' names and other origins' pages, and numbers each request.

    Until there are users the hub believes whoever reaches its loopback port. A web page can reach it too, through the
    browser: by a name that resolves here (another Host), or from its own origin (another Origin, or a request the
    browser marks as cross-site).
    """

    def __init__(self, app: ASGIApp, urls: Iterable[str]) -> None:
        """`urls`: where the hub is reached; beside them it answers to this machine's own names."""
        self._app = app
        self._prefix = secrets.token_hex(4)  # of this hub's run; asking the system for each request costs more
        self._numbers = count()
        self._hosts = {"127.0.0.1", "localhost", "[::1]", *(_bracketed(urlsplit(url).hostname or "") for url in urls)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _GIVEN_ID.match(given) else f"{self._prefix}{next(self._numbers):08x}"
        REQUEST_ID.set(request_id)
        stamped = _stamp(send, request_id)
        if refusal := self._refusal(headers):
            await _refuse(scope, receive, stamped, refusal)
            return
        await self._app(scope, receive, stamped)

    def _refusal(self, headers: Headers) -> Forbidden | None:
        host = ",".join(headers.getlist("host"))
        if _host_name(host) not in self._hosts:
            return Forbidden(f"this hub does not answer to the name {host[:100]!r}", code="forbidden_host")
        origin = ",".join(headers.getlist("origin"))
        if "origin" in headers and origin not in (f"http://{host}", f"https://{host}"):
            return Forbidden(f"pages of {origin[:100]!r} may not use this hub", code="forbidden_origin")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return Forbidden("pages of other sites may not use this hub", code="forbidden_origin")
        return None


def _host_name(host: str) -> str:
    return re.sub(r":\d*$", "", host).lower()


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name.lower()


def _stamp(send: Send, request_id: str) -> Send:
    line: Iterable[tuple[bytes, bytes]] = (
        (b"x-request-id", request_id.encode()),
        (b"x-content-type-options", b"nosniff"),
    )

    async def stamped(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *line]
        await send(message)

    return stamped


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Forbidden) -> None:
    if scope["type"] == "websocket":
        socket = WebSocket(scope, receive, send)
        with suppress(WebSocketDisconnect):  # it may have left already
            await socket.accept()
            await socket.close(4403, refusal.code)
        return
    await problem(refusal)(scope, receive, send)
