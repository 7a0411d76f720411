"""The gateway: opens a call in the book, forwards it, and settles it by what comes back."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import httpx
from starlette.responses import Response

from swarm_hub.counts import CallCounts
from swarm_hub.gateway.asked import Asked, read_asked, shortened
from swarm_hub.gateway.counting import count_tokens
from swarm_hub.gateway.crowd import Crowd
from swarm_hub.gateway.ledger import Answered, Ledger, Unopened, has_ended, refuse_ended
from swarm_hub.gateway.meter import Meter
from swarm_hub.gateway.pace import Closed, Pace, Turn
from swarm_hub.gateway.passing import End, Passing
from swarm_hub.gateway.refusals import Refused
from swarm_hub.gateway.upstream import Headers, Upstream
from swarm_hub.store.store import Store
from swarm_hub.transitions import StopReason
from swarm_hub.watches import Watches

ROOM = 60.0  # seconds that a call waits until others of its agent are settled
LOOK = 60.0  # seconds between two looks whether the agent of an answer still lives
FASTEST = 150  # tokens that a model writes in a second

_IDS = ("request-id", "x-request-id", "x-amzn-requestid")  # the Messages API's own name for it, and other gateways'
# Nothing of the call has left the hub. After any other failure it may be answered, and billed, where nobody hears it.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


@dataclass(frozen=True)
class Asking:
    """A call as an agent sends it."""

    agent_id: str
    path: str  # below the gateway's own
    query: bytes
    headers: Headers
    body: bytes


class _Begun(NamedTuple):
    """An answer whose head is there."""

    asked: Asked
    answer: httpx.Response
    asked_at: float  # on the monotonic clock


@dataclass(frozen=True)
class Gateway:
    store: Store
    upstream: Upstream
    ledger: Ledger
    pace: Pace
    room: Watches = field(default_factory=Watches)  # calls that wait until another of their agent is settled
    crowd: Crowd = field(default_factory=Crowd)
    counts: CallCounts = field(default_factory=CallCounts)

    async def message(self, asking: Asking) -> Response:
        """A metered call. Raises `Refused`, and what the store raises: what cannot be written down is not asked."""
        call_id, agent_id = secrets.token_hex(12), asking.agent_id
        try:
            begun = await self._forward(asking, call_id, read_asked(asking.body))
        except Closed as closed:
            raise await self._turned_away(agent_id, closed) from None
        status = begun.answer.status_code
        upstream_id = next((begun.answer.headers[name][:200] for name in _IDS if name in begun.answer.headers), None)

        async def settle(meter: Meter, first_ms: int | None, end: End) -> None:
            answered = Answered.of(meter, status, upstream_id, first_ms)
            if end == "left":
                answered = _unheard(answered, begun.asked, begun.asked_at)
            self.counts.answered(answered, time.monotonic() - begun.asked_at)
            await self._settle(call_id, agent_id, begun.asked, answered)

        return Passing(begun.answer, begun.asked_at, settle, lambda: self._ended(agent_id))

    async def count_tokens(self, asking: Asking) -> Response:
        """A call that costs nothing. Raises `Refused`."""
        await self.store.write(lambda tx: refuse_ended(tx, asking.agent_id))
        try:
            answer = await self._send(asking)
        except httpx.TransportError as error:
            raise _unreachable(error) from error
        return Passing(answer, time.monotonic(), _nothing, lambda: self._ended(asking.agent_id))

    async def _forward(self, asking: Asking, call_id: str, asked: Asked) -> _Begun:
        """Once there is room for its worst case, and the model's provider takes calls. Raises `Refused`, `Closed`.

        The bound by its bytes costs no time and mostly fits; where it does not, or there is none, the tokens are
        counted.
        """
        counted = not asked.bounded
        if counted:
            asked = await self._bounded(asking, asked)
        with self.room.watch(asking.agent_id) as settled:
            until: float | None = None
            while True:
                settled.clear()
                async with self.pace.turn() as turn:
                    opened = await self._open(call_id, asking.agent_id, asked, shorten=counted)
                    if isinstance(opened, Asked):
                        return await self._ask(_as_opened(asking, asked, opened), call_id, opened, turn)
                if not counted:
                    counted, asked = True, await self._counted(asking, asked) or asked
                elif opened == "no_room":
                    raise await self._given_up(asking.agent_id)
                elif opened == "over_limit":
                    await self._pause(asking.agent_id, "limit")
                    raise Refused("permission_error", "budget: a limit of the hub is reached; the task goes on later")
                else:
                    until = until or asyncio.get_running_loop().time() + ROOM
                    await _wait(settled, until)

    async def _bounded(self, asking: Asking, asked: Asked) -> Asked:
        await self.store.write(lambda tx: refuse_ended(tx, asking.agent_id))
        counted = await self._counted(asking, asked)
        if counted is None:
            raise Refused(
                "invalid_request_error",
                "documents, and what a request only refers to, go through this hub where the API counts their tokens",
            )
        return counted

    async def _counted(self, asking: Asking, asked: Asked) -> Asked | None:
        tokens = await count_tokens(self.upstream, asking.path, asking.query, asking.headers, asking.body)
        return None if tokens is None else asked.counted(tokens)

    async def _open(self, call_id: str, agent_id: str, asked: Asked, *, shorten: bool) -> Asked | Unopened:
        try:
            return await self.store.write(lambda tx: self.ledger.open(tx, call_id, agent_id, asked, shorten=shorten))
        except asyncio.CancelledError:  # it is opened all the same
            await self._settle(call_id, agent_id, asked, Answered())
            raise

    async def _ask(self, asking: Asking, call_id: str, asked: Asked, turn: Turn) -> _Begun:
        asked_at = time.monotonic()
        try:
            answer = await self._send(asking)
        except asyncio.CancelledError:
            await self._settle(call_id, asking.agent_id, asked, _unheard(Answered(complete=False), asked, asked_at))
            raise
        except Exception as error:
            self.counts.unanswered()
            await self._settle(call_id, asking.agent_id, asked, Answered(complete=isinstance(error, _UNSENT)))
            if isinstance(error, httpx.TransportError):
                raise _unreachable(error) from error
            raise
        try:
            await turn.heard(answer)
            if answer.status_code == 429 and self.pace.closed_for_long:  # the runtime would wait for it
                await self._pause(asking.agent_id, "usage_limit")
        except BaseException:
            await answer.aclose()
            lost = Answered(complete=answer.status_code >= 300, status=answer.status_code)
            await self._settle(call_id, asking.agent_id, asked, lost)
            raise
        return _Begun(asked, answer, asked_at)

    async def _send(self, asking: Asking) -> httpx.Response:
        return await self.upstream.send(asking.path, asking.query, asking.headers, asking.body)

    async def _ended(self, agent_id: str) -> None:
        """Returns some time after an agent's end: who keeps its connection open must not keep its money."""
        ended = False
        while not ended:
            await asyncio.sleep(LOOK)
            ended = await self.store.read(lambda reads: has_ended(reads, agent_id))

    async def _given_up(self, agent_id: str) -> Refused:
        await self.store.write(lambda tx: self.ledger.give_up(tx, agent_id))
        return Refused(
            "permission_error", "budget: what is left for this task does not cover another call to the model"
        )

    async def _pause(self, agent_id: str, reason: StopReason) -> None:
        await self.store.write(lambda tx: self.ledger.pause(tx, agent_id, reason))

    async def _turned_away(self, agent_id: str, closed: Closed) -> Refused:
        if closed.long:
            await self._pause(agent_id, "usage_limit")
        seconds = max(1, -(-(closed.until_ms - self.store.now_ms()) // 1000))
        return Refused("rate_limit_error", "usage limit: the model's provider takes no calls for now", seconds)

    async def _settle(self, call_id: str, agent_id: str, asked: Asked, answered: Answered) -> None:
        try:
            await self.store.write(lambda tx: self.ledger.settle(tx, call_id, asked, answered))
        finally:
            self.room.wake(agent_id)


def _unheard(answered: Answered, asked: Asked, asked_at: float) -> Answered:
    """Of an answer whose runtime left: with what may have been written, of which it saw to it that nobody heard."""
    if answered.complete:
        return answered
    written = min(asked.max_tokens, round((time.monotonic() - asked_at) * FASTEST))
    return replace(answered, usage=replace(answered.usage, output=max(answered.usage.output, written)))


def _as_opened(asking: Asking, asked: Asked, opened: Asked) -> Asking:
    """With the answer that there is money for."""
    if opened.max_tokens == asked.max_tokens:
        return asking
    return replace(asking, body=shortened(asking.body, opened.max_tokens))


async def _wait(settled: asyncio.Event, until: float) -> None:
    """For a call of the same agent to be settled. Raises `Refused` when there is none until then."""
    try:
        async with asyncio.timeout_at(until):
            await settled.wait()
    except TimeoutError:
        raise Refused("rate_limit_error", "budget: other calls of this agent hold what is left of it", 5) from None


def _unreachable(error: httpx.TransportError) -> Refused:
    return Refused("api_error", f"the model cannot be reached: {type(error).__name__}")


async def _nothing(_meter: Meter, _first_ms: int | None, _end: End) -> None:
    pass
