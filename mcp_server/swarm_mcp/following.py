"""Tasks as resources that change: which address is told of what, by the journal and the logs."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, cast

from swarm_api.client import HubClient
from swarm_api.errors import SwarmError
from swarm_mcp.endings import ENDINGS

MOST = 50  # addresses of one listener
REST = 1.0  # seconds between two notices of one log
_ADDRESS = re.compile(r"swarm://tasks/([^/?#]+)(?:/(logs|diff))?")

Part = Literal["logs", "diff"] | None
Tell = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Watched:
    """An address as the host wrote it, and what it stands for. `after`: the journal's place when it was looked up."""

    uri: str
    task_id: str
    part: Part
    after: int


async def watched(hub: HubClient, uris: Sequence[str]) -> list[Watched]:
    """Those of these addresses that change. Raises `NotFound`, `Forbidden`."""
    found = []
    for uri in uris:
        if (match := _ADDRESS.fullmatch(uri)) is not None:
            task = await hub.task(match[1])
            found.append(Watched(uri, task.id, cast("Part", match[2]), task.seq))
    return found


async def follow(hub: HubClient, what: Sequence[Watched], tell: Tell) -> None:
    """Tell each change, until the hub does not answer this caller any more."""
    try:
        async with asyncio.TaskGroup() as followers:
            followers.create_task(_journal(hub, what, tell))
            for one in what:
                if one.part == "logs":
                    followers.create_task(_log(hub, one, tell))
    except* SwarmError:
        pass  # whoever listens sees the end of it


async def _journal(hub: HubClient, what: Sequence[Watched], tell: Tell) -> None:
    async with aclosing(hub.events(after=min(one.after for one in what))) as events:
        async for event in events:
            for one in what:
                if event.payload.get("taskId") != one.task_id or event.seq <= one.after or one.part == "logs":
                    continue
                if one.part is None or event.type in ENDINGS:
                    await tell(one.uri)


async def _log(hub: HubClient, one: Watched, tell: Tell) -> None:
    """From the log's first line: one that is there already is told of at once."""
    grown = asyncio.Event()
    async with asyncio.TaskGroup() as both:
        teller = both.create_task(_now_and_then(grown, one.uri, tell))
        async with aclosing(hub.follow_logs(one.task_id)) as lines:
            async for _ in lines:
                grown.set()
        teller.cancel()
    await tell(one.uri)


async def _now_and_then(grown: asyncio.Event, uri: str, tell: Tell) -> None:
    """A log that grows fast is told of once a second: who is told reads it anyway."""
    while True:
        await grown.wait()
        grown.clear()
        await tell(uri)
        await asyncio.sleep(REST)
