"""The places where agents run: the one where new ones start, and those where earlier ones still are."""

from collections.abc import Iterator, Mapping, Sequence

from swarm_executors.protocol import Executor, ExecutorError, Handle, Launch, Observation


class Unknown:
    """An executor that this hub has no settings for any more: nothing is concluded about what runs there."""

    region: str | None = None
    poll_every = 60.0

    def __init__(self, name: str) -> None:
        self.name = name

    async def start(self, launch: Launch) -> Handle:  # noqa: ARG002  # the protocol's signature
        raise self._error()

    async def poll(self, handle: Handle) -> Observation:  # noqa: ARG002
        return Observation("unknown", detail=str(self._error()))

    async def stop(self, handle: Handle, grace: float) -> None:  # noqa: ARG002
        raise self._error()

    async def list(self, hub_id: str) -> Sequence[Handle]:  # noqa: ARG002
        return ()

    async def ready(self) -> str:
        return str(self._error())

    async def aclose(self) -> None:
        pass

    def _error(self) -> ExecutorError:
        return ExecutorError(
            f"this hub has no settings for {self.name}: give it those it had when the agent was started"
        )


class Executors:
    """By their names, as agents have them for their `provider`."""

    def __init__(self, known: Mapping[str, Executor]) -> None:
        self._known = dict(known)

    def __getitem__(self, provider: str) -> Executor:
        if provider not in self._known:
            self._known[provider] = Unknown(provider)
        return self._known[provider]

    def __iter__(self) -> Iterator[Executor]:
        return iter(tuple(self._known.values()))

    @property
    def names(self) -> list[str]:
        """Of those that agents can be started with."""
        return [name for name, executor in self._known.items() if not isinstance(executor, Unknown)]

    async def aclose(self) -> None:
        for executor in self:
            await executor.aclose()
