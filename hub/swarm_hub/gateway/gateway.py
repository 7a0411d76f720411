"""The gateway: opens a call in the book, forwards it, and settles it by what comes back."""

import secrets
import time
from dataclasses import dataclass

import httpx
from starlette.responses import Response

from swarm_hub.gateway.asked import Asked, read_asked
from swarm_hub.gateway.ledger import Answered, open_call, refuse_ended, settle_call
from swarm_hub.gateway.meter import Meter
from swarm_hub.gateway.passing import Passing
from swarm_hub.gateway.refusals import Refused
from swarm_hub.gateway.upstream import Headers, Upstream
from swarm_hub.prices import Prices
from swarm_hub.store.store import Store

_IDS = ("request-id", "x-request-id", "x-amzn-requestid")  # the Messages API's own name for it, and other gateways'


@dataclass(frozen=True)
class Asking:
    """A call as an agent sends it."""

    agent_id: str
    path: str  # below the gateway's own
    query: bytes
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Gateway:
    store: Store
    upstream: Upstream
    prices: Prices

    async def message(self, asking: Asking) -> Response:
        """A metered call. Raises `Refused`, and what the store raises: what cannot be written down is not asked."""
        asked, call_id = read_asked(asking.body), secrets.token_hex(12)
        await self.store.write(lambda tx: open_call(tx, call_id, asking.agent_id, asked, self.prices))
        begun = time.monotonic()
        try:
            answer = await self._send(asking)
        except BaseException:
            await self._settle(call_id, asked, Answered())
            raise
        upstream_id = next((answer.headers[name][:200] for name in _IDS if name in answer.headers), None)

        async def settle(meter: Meter, first_ms: int | None) -> None:
            await self._settle(call_id, asked, Answered.of(meter, answer.status_code, upstream_id, first_ms))

        return Passing(answer, begun, settle)

    async def count_tokens(self, asking: Asking) -> Response:
        """A call that costs nothing. Raises `Refused`."""
        await self.store.write(lambda tx: refuse_ended(tx, asking.agent_id))
        return Passing(await self._send(asking), time.monotonic(), _nothing)

    async def _send(self, asking: Asking) -> httpx.Response:
        try:
            return await self.upstream.send(asking.path, asking.query, asking.headers, asking.body)
        except httpx.TransportError as error:
            raise Refused("api_error", f"the model cannot be reached: {type(error).__name__}") from error

    async def _settle(self, call_id: str, asked: Asked, answered: Answered) -> None:
        await self.store.write(lambda tx: settle_call(tx, call_id, asked, answered, self.prices))


async def _nothing(_meter: Meter, _first_ms: int | None) -> None:
    pass
