"""Waiting for what is to happen elsewhere."""

import asyncio
from collections.abc import Callable

LOOK_AGAIN = 0.005


async def until(happened: Callable[[], object], seconds: float = 20) -> None:
    """Return once it happened. Raises `TimeoutError` when it does not within that time."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110  # files and other processes set no event
            await asyncio.sleep(LOOK_AGAIN)
