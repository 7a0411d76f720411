"""What the hub asks itself ends when whoever wanted to know has left."""

import asyncio

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from swarm_hub.inside import Inside

OUTER: Scope = {"type": "http", "scheme": "http", "headers": []}


async def test_an_answer_that_nobody_waits_for_any_more_is_given_up() -> None:
    """Before its first word, too."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    async with httpx.AsyncClient(transport=Inside(silent, lambda: OUTER), base_url="http://inside") as client:
        asking = asyncio.create_task(client.get("/"))
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    async with asyncio.timeout(5):
        await gone.wait()
