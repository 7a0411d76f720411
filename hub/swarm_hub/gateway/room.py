"""Calls that wait for room in what is set aside for their agent: they hear when another call of it is settled."""

from asyncio import Event
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    def __init__(self) -> None:
        self._waiting: dict[str, set[Event]] = defaultdict(set)

    @contextmanager
    def watch(self, agent_id: str) -> Iterator[Event]:
        """An event that is set whenever a call of the agent was settled since."""
        settled = Event()
        self._waiting[agent_id].add(settled)
        try:
            yield settled
        finally:
            self._waiting[agent_id].discard(settled)
            if not self._waiting[agent_id]:
                del self._waiting[agent_id]

    def is_watched(self, agent_id: str) -> bool:
        """Whether a call of the agent waits, or is about to go."""
        return agent_id in self._waiting

    def settled(self, agent_id: str) -> None:
        for event in self._waiting.get(agent_id, ()):
            event.set()
