"""How a client's requests reach the hub: with a credential, again where the line broke, and answered by models."""

import asyncio
import secrets
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from swarm_api import __version__
from swarm_api.addresses import is_loopback, keep_private
from swarm_api.base import rfc3339
from swarm_api.bearer import Bearer
from swarm_api.errors import SwarmError
from swarm_api.source import Source
from swarm_api.streams import Backoff, refusal, unreachable

Answer = TypeVar("Answer", bound=BaseModel)

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_RESENDS = 4
# Nobody there at all, at the first attempt, is no connection that broke: it is said at once.
_ABSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol)
_LONGEST_REST = 60.0  # seconds: while a machine sleeps, tokens run out and the loop's clock stands still


class Sender:
    """A hub's address, a credential, and the connections between. Use it with `async with`."""

    def __init__(
        self, base_url: str, source: Source, *, insecure: bool, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        url = httpx.URL(base_url)
        self._source = source
        self._insecure = insecure
        self.http = httpx.AsyncClient(
            base_url=url,
            auth=Bearer(source, insecure=insecure),
            headers={"User-Agent": f"claude-swarm/{__version__}", "Accept": "application/json"},
            timeout=_TIMEOUT,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None),  # a stream holds its connection
            transport=transport,
            # A proxy of the environment cannot reach this machine's loopback.
            trust_env=not is_loopback(url.host),
            # Loading the authorities costs 80 ms. Where TLS is not spoken none is trusted.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.scheme == "http" else True,
        )

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        self._keeping = asyncio.create_task(self._keep(), name="keep the credential fresh")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeping.cancel()
        await asyncio.wait({self._keeping})
        await self.http.__aexit__(kind, error, trace)

    def keep_private(self) -> None:
        """To be asked before a secret is put in a body. Raises `InsecureAddress`."""
        if not self._insecure:
            keep_private(str(self.http.base_url))

    async def get(self, path: str, kind: type[Answer], *, accept: int = 200, **params: Any) -> Answer:
        """`accept`: a status that is an answer too."""
        return _parsed(kind, await self.send("GET", path, params=query(params), accept=accept))

    async def post(self, path: str, kind: type[Answer], body: bytes | None = None) -> Answer:
        return _parsed(kind, await self.act("POST", path, body))

    async def put(self, path: str, kind: type[Answer], body: bytes) -> Answer:
        return _parsed(kind, await self.act("PUT", path, body))

    async def act(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        """Something that happens once, however often it must be sent."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return await self.send(method, path, headers=headers, content=body)

    async def send(self, method: str, path: str, *, accept: int = 200, **parts: Any) -> httpx.Response:
        backoff = Backoff()
        for left in range(_RESENDS, -1, -1):
            try:
                response = await self.http.request(method, path, **parts)
                break
            except httpx.TransportError as error:
                if left == 0 or (left == _RESENDS and isinstance(error, _ABSENT)):
                    raise unreachable(self.http, error) from error
            await backoff.pause()
        if not response.is_success and response.status_code != accept:
            raise refusal(response)
        return response

    async def _keep(self) -> None:
        """A stream may outlive its token, and one that has run out cannot be renewed any more."""
        while (rest := self._source.rest()) is not None:
            await asyncio.sleep(min(rest, _LONGEST_REST))
            with suppress(SwarmError):  # whoever sends next is told
                await asyncio.to_thread(self._source.token)


def query(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as the API takes them; None is left out."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value


def _parsed(kind: type[Answer], response: httpx.Response) -> Answer:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise SwarmError(
            f"what answers at {response.url.copy_with(raw_path=b'/')} is no Claude Swarm hub, or a newer one",
            code="unexpected_answer",
        ) from error
