"""Paces calls while the provider of the model takes none: they wait for the end of a limit, then one goes first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from swarm_hub.gateway.hints import Hint, read_hint

SHORT_MS = 5 * 60_000  # a limit that running agents wait for
PATIENCE = 360.0  # seconds that a call waits, through limits that follow one another
AHEAD = 15.0  # seconds that others wait for the beginning of one's answer: an agent may ask for one that takes minutes
LOOK_AGAIN = 5.0  # seconds after which the clock is asked again: it may be set, and the machine may sleep


class Closed(Exception):
    """No call goes to the model until then (epoch ms). `long`: it is not worth waiting for."""

    def __init__(self, until_ms: int, long: bool) -> None:
        super().__init__(until_ms, long)
        self.until_ms = until_ms
        self.long = long


class Pace:
    """The limits of the model's provider, as its answers tell of them."""

    def __init__(self, clock: Callable[[], int], note: Callable[[Hint], Awaitable[None]], until_ms: int | None) -> None:
        """`clock`: epoch ms. `note` keeps what is learned. `until_ms`: of a limit that is known already."""
        self._clock = clock
        self._note = note
        self._until_ms = until_ms or 0
        self._open = until_ms is None
        self._ahead_until = 0.0  # on the loop's clock
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["Turn"]:
        """The time from which a call may go, until its answer has begun. Raises `Closed`."""
        try:
            async with asyncio.timeout(PATIENCE):
                probe = await self._wait()
        except TimeoutError:
            raise Closed(self._until_ms, long=False) from None
        try:
            yield Turn(self, probe)
        finally:
            if probe:
                self._ahead_until = 0.0
                self._wake()

    async def _wait(self) -> bool:
        """Whether the call goes ahead of the others."""
        while True:
            if self.closed_for_long:
                raise Closed(self._until_ms, long=True)
            if (left := self._until_ms - self._clock()) > 0:
                await self._change(min(left / 1000, LOOK_AGAIN))
            elif self._open:
                return False
            elif (wait := self._ahead_until - (now := asyncio.get_running_loop().time())) <= 0:
                self._ahead_until = now + AHEAD
                return True
            else:
                await self._change(wait)

    async def _change(self, seconds: float) -> None:
        """Wait until something has changed, or for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass  # the limit is over, or it is time to ask the clock

    @property
    def closed_for_long(self) -> bool:
        return self._until_ms - self._clock() > SHORT_MS

    async def learn(self, answer: httpx.Response, probe: bool) -> None:
        hint = read_hint(answer.status_code, answer.headers, self._clock())
        if hint is None:
            self._open = self._open or probe
            return
        self._open = False
        if hint.until_ms > self._until_ms:
            self._until_ms = hint.until_ms
            await self._note(hint)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


@dataclass(frozen=True)
class Turn:
    """A call's time to go."""

    pace: Pace
    probe: bool

    async def heard(self, answer: httpx.Response) -> None:
        """Its answer has begun."""
        await self.pace.learn(answer, self.probe)
