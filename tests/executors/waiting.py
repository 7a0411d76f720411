"""Waiting for what is to happen."""

import asyncio
from collections.abc import Callable

from swarm_executors.protocol import Executor, Handle

LOOK_AGAIN = 0.005


async def until(happened: Callable[[], object], seconds: float = 20) -> None:
    """Return once it happened. Raises `TimeoutError` when it does not within that time."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - files and other processes set no event
            await asyncio.sleep(LOOK_AGAIN)


async def until_ended(executor: Executor, handle: Handle, seconds: float = 20) -> None:
    """Poll until the worker is no longer alive."""
    async with asyncio.timeout(seconds):
        while (await executor.poll(handle)).state == "alive":  # noqa: ASYNC110 - polling is what is tested
            await asyncio.sleep(LOOK_AGAIN)
