"""What the hub asks of a place where workers run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from swarm_api.words import Tier


@dataclass(frozen=True)
class Size:
    """What a tier gives an agent."""

    cpus: int
    memory_mb: int


TIERS: Mapping[Tier, Size] = {"light": Size(1, 1024), "standard": Size(2, 2048), "heavy": Size(4, 4096)}

Handle = dict[str, Any]
"""The executor's receipt for a started worker: JSON, stored by the hub, meaningful to the executor alone."""

State = Literal["alive", "exited", "lost", "unknown"]
Cause = Literal["out_of_memory", "host_lost"]


@dataclass(frozen=True)
class Launch:
    """All a worker is told from outside: who it is, where its hub is, and the token it shows there.

    `first`: nobody has asked for it before, so there is nothing of it to look for.
    """

    agent_id: str
    hub_id: str
    hub_url: str
    token: str
    tier: Tier
    first: bool = False


@dataclass(frozen=True)
class Observation:
    """What became of a worker. `unknown`: the executor could not find out; ask again, conclude nothing.

    `cause`: why it ended, where the place itself did that: it took too much memory, or its machine is gone.
    """

    state: State
    exit_code: int | None = None
    detail: str = ""
    cause: Cause | None = None


class ExecutorError(Exception):
    """The base of what executors raise: it did not work now, and is tried again.

    `retry_after`: seconds that the place wants to be left alone for.
    """

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NoCapacity(ExecutorError):
    """The place has no room for the worker now, and nothing of it runs."""


class Shut(ExecutorError):
    """The place lets nobody in until somebody mends it: its token is no good, or what is to run there is missing."""


class Throttled(ExecutorError):
    """The place takes no more calls for now, and did nothing."""


class Ambiguous(ExecutorError):
    """No answer that tells whether it happened: whatever could be done twice by asking again has to be looked for."""


class Refused(ExecutorError):
    """The place will not do this however often it is asked."""


class Gone(Refused):
    """The place knows nothing of what it was asked about."""


class StartFailed(ExecutorError):
    """The worker does not run and will not: trying again as it stands is no use."""


class Executor(Protocol):
    name: str
    region: str | None
    poll_every: float
    """Seconds between two polls of one agent: cheap here, a paid API call there."""

    async def start(self, launch: Launch) -> Handle:
        """Start a worker, once for each agent id however often it is called.

        Raises `StartFailed`, `NoCapacity`, `Shut`, and any `ExecutorError` for what may work at the next call. The
        handle has `agentId`, and `region` where the place has regions.
        """

    async def poll(self, handle: Handle) -> Observation:
        """What became of the worker. Never raises for a worker that is gone."""

    async def stop(self, handle: Handle, grace: float) -> None:
        """End the worker and all its children: asked first, killed after `grace` seconds. Done when all are gone.

        Stopping what has already ended does nothing.
        """

    async def list(self, hub_id: str) -> Sequence[Handle]:
        """The handles of this hub's workers that still run."""

    async def ready(self) -> str:
        """What keeps workers from being started there, in a line; nothing, when all is well. Never raises."""

    async def aclose(self) -> None:
        """Let go of the executor's own resources. Workers go on."""
