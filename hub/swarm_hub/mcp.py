"""`/mcp`: the hub's tools for Claude Code and other hosts, with the hub's own door, scopes and limits before them."""

import asyncio
import hmac
from collections.abc import Callable
from contextvars import ContextVar
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Receive, Scope, Send

from swarm_api.client import HubClient
from swarm_api.errors import Unavailable
from swarm_hub.identity.callers import Caller
from swarm_hub.inside import Inside

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

MOST_BODY = 1024 * 1024  # bytes
MOST_SESSIONS = 1_000  # of hosts that speak a protocol before 2026-07-28
IDLE = 1_800.0  # seconds
LEAVE = 0.5  # seconds for those who wait to be told that the hub stops
_MARK = 22  # characters of a MAC that bind an id to its caller

_REQUEST: ContextVar[Scope] = ContextVar("the request from outside")


class Mcp:
    """The server is made at the first request: a second of imports that most hubs never need."""

    def __init__(self, url: str, secret: bytes, closing: asyncio.Event) -> None:
        """`url`: where the hub listens. `secret` binds tasks' ids to their callers."""
        self._url = url
        self._secret = secret
        self._closing = closing
        self._wanted = asyncio.Event()
        self._sessions: asyncio.Future[StreamableHTTPSessionManager] = asyncio.get_running_loop().create_future()

    async def run(self, inside: ASGIApp) -> None:
        """Serve from the first request on, until the hub closes. `inside`: the API without its guard."""
        await self._wanted.wait()
        try:
            await asyncio.to_thread(_load)
            async with HubClient(self._url, transport=Inside(inside, _REQUEST.get)) as hub:
                await self._serve(hub)
        except Exception as error:
            if not self._sessions.done():
                self._sessions.set_exception(error)
            raise

    async def answer(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """One request of a caller's, who was admitted. Raises `Unavailable` while the hub closes."""
        if self._closing.is_set():
            raise Unavailable("the hub is stopping")
        self._wanted.set()
        sessions = await asyncio.shield(self._sessions)
        serving = asyncio.create_task(sessions.handle_request(_known(scope, caller), receive, send))
        closed = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait({serving, closed}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({serving}, timeout=LEAVE if closed.done() else None)
        finally:
            for job in (serving, closed):
                job.cancel()
            await asyncio.wait({serving, closed})
        if not serving.cancelled():
            serving.result()

    async def _serve(self, hub: HubClient) -> None:
        from mcp.server.transport_security import TransportSecuritySettings
        from swarm_mcp.home import Home
        from swarm_mcp.server import build

        home = Home(stopping=self._closing, seal=self._seal, unseal=self._unseal)
        server = build(hub, home, middleware=[_as_its_caller])
        server.streamable_http_app(
            max_request_body_size=MOST_BODY, max_sessions=MOST_SESSIONS, session_idle_timeout=IDLE,
            # The guard has looked at Host and Origin already, by what this hub's settings say.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )  # fmt: skip
        async with server.session_manager.run():
            self._sessions.set_result(server.session_manager)
            await self._closing.wait()
            await asyncio.sleep(LEAVE)

    def _seal(self, task_id: str) -> str:
        return f"{task_id}.{self._mark(task_id)}"

    def _unseal(self, sealed: str) -> str | None:
        task_id, _, mark = sealed.partition(".")
        return task_id if hmac.compare_digest(mark.encode(), self._mark(task_id).encode()) else None

    def _mark(self, task_id: str) -> str:
        caller = _REQUEST.get()["user"].access_token.client_id
        return hmac.digest(self._secret, f"{caller} {task_id}".encode(), sha256).hex()[:_MARK]


def _load() -> None:
    """What takes a second to import, in a thread: the hub answers others meanwhile."""
    import swarm_mcp.server  # noqa: F401


def _known(scope: Scope, caller: Caller) -> Scope:
    """The request as of somebody known: the SDK lets nobody else into his session."""
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken

    known = AccessToken(token="", client_id=caller.id, scopes=[])  # nosec B106  # it was checked, and is not kept
    return {**scope, "user": AuthenticatedUser(known)}


async def _as_its_caller(ctx: Any, call_next: Callable[[Any], Any]) -> Any:
    """A session's messages are handled in a task of the session's: each has a request, and a credential, of its own."""
    _REQUEST.set(ctx.request.scope)
    return await call_next(ctx)
