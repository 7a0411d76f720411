"""Events that wake those who wait for something of one agent."""

from asyncio import Event
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Watches:
    def __init__(self) -> None:
        self._waiting: dict[str, set[Event]] = defaultdict(set)

    @contextmanager
    def watch(self, agent_id: str) -> Iterator[Event]:
        """An event that is set whenever there was something for this agent since."""
        wake = Event()
        self._waiting[agent_id].add(wake)
        try:
            yield wake
        finally:
            self._waiting[agent_id].discard(wake)
            if not self._waiting[agent_id]:
                del self._waiting[agent_id]

    def is_watched(self, agent_id: str) -> bool:
        return agent_id in self._waiting

    def wake(self, agent_id: str) -> None:
        for event in self._waiting.get(agent_id, ()):
            event.set()

    def wake_all(self) -> None:
        for agent_id in self._waiting:
            self.wake(agent_id)
