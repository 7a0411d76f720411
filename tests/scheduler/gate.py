"""Holding up the writer, so that what is written meanwhile shares a commit."""

import asyncio
import threading

from swarm_hub.store.transaction import Transaction

CALLBACKS = 20  # of the event loop, until what was due has been done


class Gate:
    """A piece of work that holds up the writer until it is let through."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def hold(self, _tx: Transaction) -> None:
        self._reached.set()
        self._open.wait()

    def open(self) -> None:
        self._open.set()

    async def reached(self) -> None:
        """Wait until the writer is held up."""
        await asyncio.to_thread(self._reached.wait)


async def callbacks() -> None:
    """Let the event loop do all that is due."""
    for _ in range(CALLBACKS):
        await asyncio.sleep(0)
