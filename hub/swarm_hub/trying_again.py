"""When what an executor could not do for an agent is tried again: later each time, and not all at once."""

import asyncio
import random
from collections.abc import Container

from swarm_executors.protocol import ExecutorError, NoCapacity, Shut

SOON, LATER = 1.0, 15.0  # seconds after the first failure: something passing, or no room
LONGEST, LONGEST_FOR_ROOM = 30.0, 300.0
JITTER = 0.2  # of the delay, by which it may be shorter


class TryingAgain:
    """Failures of each agent since the last thing that worked."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._at: dict[str, float] = {}

    def may(self, agent_id: str) -> bool:
        """Whether it is time."""
        return asyncio.get_running_loop().time() >= self._at.get(agent_id, 0.0)

    def later(self, agent_id: str, failure: ExecutorError) -> float:
        """Put the next try off; for how many seconds."""
        for_room = isinstance(failure, NoCapacity | Shut)
        first, most = (LATER, LONGEST_FOR_ROOM) if for_room else (SOON, LONGEST)
        count = self._failures[agent_id] = self._failures.get(agent_id, 0) + 1
        spread = 1 - random.uniform(0, JITTER) if count > 1 else 1.0  # noqa: S311  # nosec B311  # no secret
        delay = max(failure.retry_after, spread * min(most, first * 2.0 ** (count - 1)))
        self._at[agent_id] = asyncio.get_running_loop().time() + delay
        return delay

    def worked(self, agent_id: str) -> None:
        """What failed before did not, unless it was put off again just now."""
        if self.may(agent_id):
            self._failures.pop(agent_id, None)
            self._at.pop(agent_id, None)

    def forget_all_but(self, agent_ids: Container[str]) -> None:
        for agent_id in [each for each in self._failures if each not in agent_ids]:
            del self._failures[agent_id], self._at[agent_id]
