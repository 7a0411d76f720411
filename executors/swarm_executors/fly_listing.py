"""Which machines run, asked of Fly once for all agents: a call for each would soon be too many."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from swarm_executors.fly_machines import RUNS

Machines = Sequence[Mapping[str, Any]]


class Listing:
    """What `ask` said of a hub's machines, for `lasts` seconds. Only that one runs is believed: lists come late."""

    def __init__(self, ask: Callable[[str], Awaitable[Machines]], lasts: float) -> None:
        self._ask = ask
        self._lasts = lasts
        self._running: frozenset[str] = frozenset()
        self._until = 0.0
        self._one = asyncio.Lock()

    async def runs(self, hub_id: str, machine_id: str) -> bool:
        """Whether the machine surely ran when the list was made."""
        async with self._one:
            now = asyncio.get_running_loop().time()
            if now >= self._until:
                machines = await self._ask(hub_id)
                self._running = frozenset(each["id"] for each in machines if _runs(each))
                self._until = now + self._lasts
        return machine_id in self._running

    def forget(self) -> None:
        """Something was started or ended: what is known is old."""
        self._until = 0.0
        self._running = frozenset()


def _runs(machine: Mapping[str, Any]) -> bool:
    return machine.get("state") in RUNS and machine.get("host_status", "ok") == "ok"
