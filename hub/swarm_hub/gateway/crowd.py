"""How much of the hub's memory the calls of one agent may take at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from swarm_hub.gateway.asked import LONGEST
from swarm_hub.gateway.refusals import Refused

MOST = 4 * LONGEST  # bytes of bodies, which are kept until their answers end
LEAST = 512 * 1024  # that a small call counts as, so that there are 256 at most
RETRY = 5  # seconds


class Crowd:
    def __init__(self) -> None:
        self._taken = Counter[str]()

    @contextmanager
    def place(self, agent_id: str, size: int | None) -> Iterator[None]:
        """For a call of so many bytes; None: it does not say. Raises `Refused` where the agent has too much open."""
        takes = LONGEST if size is None else max(size, LEAST)
        if self._taken[agent_id] + takes > MOST:
            raise Refused("rate_limit_error", "this agent has too many calls open at once", RETRY)
        self._taken[agent_id] += takes
        try:
            yield
        finally:
            self._taken[agent_id] -= takes
            if not self._taken[agent_id]:
                del self._taken[agent_id]
