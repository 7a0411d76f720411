"""What every request passes first: is it for us, did nobody listen, does no strange web page send it. Pure ASGI: a
middleware class of Starlette's own costs six times as much."""

import re
import secrets
from contextlib import suppress
from itertools import count

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from swarm_api.errors import Forbidden
from swarm_hub.about import REQUEST_ID
from swarm_hub.edge.hosts import Hosts
from swarm_hub.edge.origins import Origins, answer_preflight, is_preflight
from swarm_hub.edge.senders import Sender, Senders
from swarm_hub.edge.stamp import Stamps
from swarm_hub.edge.told import HOST, ORIGIN, Told, told
from swarm_hub.edge.told import REQUEST_ID as GIVEN_ID
from swarm_hub.problems import problem
from swarm_hub.settings import Settings

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_IN_THE_CLEAR = frozenset({"/health", "/health/live"})  # those who watch over a hub ask it without its proxy


class Guard:
    """Refuses other hosts' names, plain http where others listen and other origins' pages; numbers each request.

    A web page reaches a hub that its author cannot, through the reader's browser: by a name that resolves here (another
    Host), or from its own origin (another Origin, or a request the browser marks as cross-site). Behind it
    `scope["client"]` and `scope["scheme"]` are the sender's own, whatever proxies there are.
    """

    def __init__(self, app: ASGIApp, settings: Settings, url: str) -> None:
        """`url`: where it listens."""
        self._app = app
        self._prefix = secrets.token_hex(4)  # of this hub's run; asking the system for each request costs more
        self._numbers = count()
        self._hosts = Hosts((url, settings.public_url or url), any_address=not settings.on_loopback)
        self._senders = Senders(settings.trusted_proxies)
        self._origins = Origins(settings.allowed_origins, settings.public_url)
        self._stamps = Stamps(self._origins.allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        head = told(scope["headers"])
        request_id = self._number(head)
        REQUEST_ID.set(request_id)
        sender = self._senders.find(scope.get("client"), scope.get("server"), head)
        _correct(scope, sender)
        origin = head.get(ORIGIN)
        stamped = self._stamps.stamp(send, request_id, origin, sender.secure)
        if refusal := self._refusal(scope["path"], head, sender):
            await _refuse(scope, receive, stamped, refusal)
        elif origin in self._origins.allowed and is_preflight(scope, head):
            await answer_preflight(self._app, scope, receive, stamped)
        else:
            await self._app(scope, receive, stamped)

    def _number(self, head: Told) -> str:
        given = head.get(GIVEN_ID)
        if given is not None and _ID.fullmatch(given):
            return given.decode()
        return f"{self._prefix}{next(self._numbers):08x}"

    def _refusal(self, path: str, head: Told, sender: Sender) -> Forbidden | None:
        host = head.get(HOST, b"")
        if not self._hosts.know(host):
            return Forbidden(
                f"this hub does not answer to the name {_shown(host)}; its PUBLIC_URL would", code="forbidden_host"
            )
        if sender.exposed and path not in _IN_THE_CLEAR:
            return Forbidden("this hub is used by https alone, through its proxy", code="https_required")
        if not self._origins.admit(head, host, sender.secure):
            who = f"pages of {_shown(head[ORIGIN])}" if ORIGIN in head else "pages of other sites"
            return Forbidden(f"{who} may not use this hub", code="forbidden_origin")
        return None


def _correct(scope: Scope, sender: Sender) -> None:
    client = scope.get("client")
    if client is None or client[0] != sender.address:
        scope["client"] = (sender.address, 0)
    if sender.secure:
        scope["scheme"] = "wss" if scope["type"] == "websocket" else "https"


def _shown(value: bytes) -> str:
    return repr(value[:100].decode("latin-1"))


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Forbidden) -> None:
    if scope["type"] == "websocket":
        socket = WebSocket(scope, receive, send)
        with suppress(WebSocketDisconnect):  # it may have left already
            await socket.accept()
            await socket.close(4403, refusal.code)
        return
    await problem(refusal)(scope, receive, send)
