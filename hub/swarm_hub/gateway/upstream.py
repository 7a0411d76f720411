"""The Messages API, or another gateway that speaks it, as the hub sees it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from urllib.parse import urlsplit

import httpx

from swarm_api.addresses import is_loopback

Headers = Iterable[tuple[bytes, bytes]]
DEFAULT = "https://api.anthropic.com"
# An answer may think for minutes before it says anything; the runtime has a watchdog of its own.
TIMEOUT = httpx.Timeout(600.0, connect=10.0, pool=None)
# Many servers close a connection that was idle for 5 s: one that is taken up in that moment breaks.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=4.0)

_OF_THE_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
# What else an agent may send is not for the model: some gateways take the address to forward to from a header.
_ASKING = frozenset({"accept", "user-agent", "x-app", "traceparent", "tracestate"})
_ASKING_BEGIN = ("anthropic-", "x-anthropic-", "x-claude-", "x-stainless-")
_ANSWERING = _OF_THE_HOP | {"content-length", "set-cookie", "server", "date", "strict-transport-security"}


class Upstream:
    """Opened when it is first asked: loading the authorities takes 80 ms, and many hubs never need them."""

    def __init__(self, base_url: str | None, key: str | None) -> None:
        self._base = (base_url or DEFAULT).rstrip("/")
        self._key = key

    async def aclose(self) -> None:
        if "_http" in self.__dict__:
            await self._http.aclose()

    async def send(self, path: str, query: bytes, headers: Headers, body: bytes) -> httpx.Response:
        """The beginning of the answer, whose body is still to be read. Raises `httpx.TransportError`."""
        url = httpx.URL(self._base + path).copy_with(query=query or None)
        request = self._http.build_request("POST", url, headers=self._asking(headers), content=body)
        return await self._http.send(request, stream=True)

    def _asking(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        passed = [(name, value) for name, value in headers if _passes(name)]
        key = [(b"x-api-key", self._key.encode())] if self._key else []
        # What is compressed could not be metered while it passes, and no other reading of the body is meant.
        return [*passed, (b"content-type", b"application/json"), (b"accept-encoding", b"identity"), *key]

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=TIMEOUT,
            limits=LIMITS,
            follow_redirects=False,
            trust_env=not is_loopback(urlsplit(self._base).hostname),
        )


def answering(headers: httpx.Headers) -> Mapping[str, str]:
    """What of an answer's headers goes to the runtime: limits and hints on when to try again among them."""
    return {name: value for name, value in headers.items() if name not in _ANSWERING}


def _passes(name: bytes) -> bool:
    known = name.decode("latin-1").lower()
    return known in _ASKING or known.startswith(_ASKING_BEGIN)
