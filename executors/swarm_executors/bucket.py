"""A token bucket: so many calls a second, some of them at once, and whoever comes later waits in line."""

import asyncio


class Bucket:
    """`rate` calls a second, `burst` at once. One is shared by all who call the same thing."""

    def __init__(self, rate: float, burst: int) -> None:
        self._gap = 1 / rate
        self._ahead = (burst - 1) / rate
        self._due = 0.0
        """When a call would be due if none came early (the generic cell rate algorithm)."""

    async def take(self) -> None:
        """Return when it is this caller's turn, in the order they came."""
        now = asyncio.get_running_loop().time()
        start = max(self._due, now)
        self._due = start + self._gap
        if (wait := start - self._ahead - now) > 0:
            await asyncio.sleep(wait)

    def pause(self, seconds: float) -> None:
        """Nobody's turn comes for so long: the other side has said so."""
        self._due = max(self._due, asyncio.get_running_loop().time() + seconds + self._ahead)
