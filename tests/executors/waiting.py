"""Waiting for what is to happen to a worker."""

import asyncio

from swarm_executors.protocol import Executor, Handle
from waiting import LOOK_AGAIN


async def until_ended(executor: Executor, handle: Handle, seconds: float = 20) -> None:
    """Poll until the worker is no longer alive."""
    async with asyncio.timeout(seconds):
        while (await executor.poll(handle)).state == "alive":  # noqa: ASYNC110 - polling is what is tested
            await asyncio.sleep(LOOK_AGAIN)
