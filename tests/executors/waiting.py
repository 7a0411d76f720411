"""Waiting for what is to happen to a worker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from swarm_executors.protocol import Executor, ExecutorError, Handle
from waiting import LOOK_AGAIN

T = TypeVar("T")


async def until_ended(executor: Executor, handle: Handle, seconds: float = 20) -> None:
    """Poll until the worker is no longer alive."""
    async with asyncio.timeout(seconds):
        while (await executor.poll(handle)).state == "alive":  # noqa: ASYNC110 - polling is what is tested
            await asyncio.sleep(LOOK_AGAIN)


async def again(work: Callable[[], Awaitable[T]]) -> T:
    """What it gives, tried again as the scheduler does whatever did not work."""
    for _ in range(5):
        try:
            return await work()
        except ExecutorError:
            await asyncio.sleep(0)
    return await work()
