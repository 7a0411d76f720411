"""Claude Code as a runtime, through the Claude Agent SDK and the CLI it brings along."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from enum import Enum, auto

from swarm_api.worker import Report, WorkOrder
from swarm_worker.runtimes import Place


class Signal(Enum):
    """What may be asked of a conversation besides hearing something."""

    INTERRUPT = auto()
    READ_METER = auto()


class ClaudeRuntime:
    """One run of Claude Code. `send` and `interrupt` return at once; what they ask is done as soon as it can be.

    An interrupt right after a message drops what Claude is doing for the message; any other one ends the run.
    """

    def __init__(self) -> None:
        self._inbox: asyncio.Queue[str | Signal] = asyncio.Queue()

    async def run(self, order: WorkOrder, place: Place) -> AsyncIterator[Report]:
        # The SDK takes most of a second to import; only a worker that needs it pays.
        from swarm_worker.runtimes.claude_conversation import Conversation

        async with aclosing(Conversation(order, place, self._inbox).reports()) as reports:
            async for report in reports:
                yield report

    async def send(self, message: str) -> None:
        self._inbox.put_nowait(message)

    async def interrupt(self) -> None:
        self._inbox.put_nowait(Signal.INTERRUPT)
