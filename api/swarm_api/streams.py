"""Following a stream of the hub over as many connections as it takes, with no gap and no repeat."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, TypeVar

import httpx
from httpx_sse import aconnect_sse

from swarm_api.errors import HubUnreachable, SwarmError, from_problem
from swarm_api.events import Event, LogLine
from swarm_api.wire import with_patience

Item = TypeVar("Item", Event, LogLine)
OnTrouble = Callable[[SwarmError | None], None]

# The hub pings every 20 s. A connection that says nothing for so long is dead, whatever TCP believes.
_SILENCE = httpx.Timeout(10.0, read=50.0)
# Timed out, too early, too many: the same request may pass a little later, as it may after any 5xx.
_PASSING = frozenset({408, 425, 429})

_random = secrets.SystemRandom()


class Backoff:
    """Pauses between attempts: each at random below a bound that doubles, so that clients do not come back in step."""

    def __init__(self, first: float = 0.1, longest: float = 5.0) -> None:
        """Both in seconds."""
        self._first = self._bound = first
        self._longest = longest

    def reset(self) -> None:
        self._bound = self._first

    async def pause(self) -> None:
        await asyncio.sleep(_random.uniform(self._bound / 2, self._bound))
        self._bound = min(self._bound * 2, self._longest)


async def follow(
    http: httpx.AsyncClient, path: str, kind: type[Item], after: int, params: Mapping[str, Any], on_trouble: OnTrouble
) -> AsyncGenerator[Item, None]:
    """Every item after the seq `after`, once and in order, until the hub says `event: end`.

    A lost connection is opened again, for ever, from the last seq that came; `on_trouble` gets each error in between,
    and None when the stream is back. A stream that the hub ends, as it does when a token runs out, is no trouble if it
    can be had again. Raises `HubUnreachable` when no hub answers at the start, and the hub's own
    error whenever it refuses.
    """
    backoff, connected = Backoff(), False
    while True:
        trouble: SwarmError | None = None
        try:
            async with aconnect_sse(http, "GET", path, params={**params, "after": after}, timeout=_SILENCE) as source:
                await _accepted(source.response)
                connected = True
                on_trouble(None)
                async for frame in source.aiter_sse():
                    if frame.event == "end":
                        return
                    # Without data it is a ping.
                    if frame.data and (item := kind.model_validate_json(frame.data)).seq > after:
                        after = item.seq
                        backoff.reset()
                        yield item
        except httpx.HTTPStatusError as error:
            trouble = refusal(error.response)
            connected = connected and _may_pass(error.response.status_code)
        except httpx.TransportError as error:
            trouble = unreachable(http, error)
        if trouble is not None:
            if not connected:
                raise trouble
            on_trouble(trouble)
        await backoff.pause()


async def _accepted(response: httpx.Response) -> None:
    if not response.is_success:
        await response.aread()
        response.raise_for_status()


def _may_pass(status: int) -> bool:
    return status >= 500 or status in _PASSING


def refusal(response: httpx.Response) -> SwarmError:
    """The hub's error in an answer that is no success. A redirect is one: no credential follows it."""
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    problem = with_patience(problem if isinstance(problem, dict) else {}, response.headers.get("Retry-After"))
    return from_problem(response.status_code, problem)


def unreachable(http: httpx.AsyncClient, error: httpx.TransportError) -> HubUnreachable:
    url = str(http.base_url).rstrip("/")
    return HubUnreachable(f"no hub answers at {url}: {str(error) or type(error).__name__}", url=url)
