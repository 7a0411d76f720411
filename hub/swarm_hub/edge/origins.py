"""Whose web pages may use the hub: its own, and those of ALLOWED_ORIGINS."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swarm_hub.edge.told import ASKED_METHOD, ORIGIN, SITE, Told
from swarm_hub.values import origin_of

_OURS = frozenset({b"none", b"same-origin"})  # what a browser says of what its user typed, and of the hub's own pages
_PREFLIGHT = (
    (b"access-control-allow-headers", b"Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id"),
    (b"access-control-max-age", b"600"),
)


class Origins:
    """Pages of an allowed origin may read the answers; there are no cookies, so no credentials go by themselves."""

    def __init__(self, allowed: Iterable[str], public_url: str | None) -> None:
        self.allowed = frozenset(origin.encode() for origin in allowed)
        self._public = origin_of(public_url).encode() if public_url else None

    def admit(self, told: Told, host: bytes, secure: bool) -> bool:
        """Whether no page sends this, or one that may."""
        origin = told.get(ORIGIN)
        if origin in self.allowed:
            return True
        if origin is not None and not self._is_own(origin, host, secure):
            return False
        return told.get(SITE, b"none") in _OURS

    def _is_own(self, origin: bytes, host: bytes, secure: bool) -> bool:
        """A page that came in the clear may have been written by anybody on the way: it is not the https hub's own."""
        return origin in (self._public, b"https://" + host) or (not secure and origin == b"http://" + host)


def cors_headers(origin: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """What lets a page of this origin read an answer."""
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", b"X-Request-Id, Retry-After"),
    )


def is_preflight(scope: Scope, told: Told) -> bool:
    return ASKED_METHOD in told and scope["type"] == "http" and scope["method"] == "OPTIONS"


async def answer_preflight(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Which methods a path takes the application says itself, in its 405 for OPTIONS; its other answers pass."""
    passing = True

    async def translate(message: Message) -> None:
        nonlocal passing
        if message["type"] == "http.response.start" and message["status"] == 405:
            passing = False
            methods = dict(message["headers"])[b"allow"]
            headers = [(b"access-control-allow-methods", methods), *_PREFLIGHT]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body"})
        elif passing:
            await send(message)

    await app(scope, receive, translate)
