"""Followers that outlive the hub they follow, as an app or a script would."""

import asyncio
import json
from collections import defaultdict
from contextlib import aclosing

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from hubs import ADMIN_KEY
from swarm_api.client import HubClient
from swarm_api.errors import HubUnreachable
from swarm_api.events import LogLine

RETRY = 0.05  # seconds


class Seen:
    """What followers were told, in the order they were told it."""

    def __init__(self) -> None:
        self.by_sse: list[int] = []
        self.by_socket: list[int] = []
        self.lines: dict[str, list[LogLine]] = defaultdict(list)


async def follow_events(client: HubClient, seen: Seen) -> None:
    """By the client, which resumes by itself."""
    async with aclosing(client.events(after=0)) as events:
        async for event in events:
            seen.by_sse.append(event.seq)


async def follow_socket(url: str, seen: Seen) -> None:
    """A client of the WebSocket that knows one thing: the last `seq` it saw."""
    address, headers = url.replace("http", "ws", 1) + "/ws", {"Authorization": f"Bearer {ADMIN_KEY}"}
    while True:
        after = seen.by_socket[-1] if seen.by_socket else 0
        try:
            async with connect(f"{address}?after={after}", ping_interval=None, additional_headers=headers) as socket:
                async for message in socket:
                    seen.by_socket.append(json.loads(message)["seq"])
        except (OSError, WebSocketException, InvalidHandshake):
            pass  # the hub is away
        await asyncio.sleep(RETRY)


async def follow_log(client: HubClient, task_id: str, seen: Seen) -> None:
    """By the client; it gives up only where no hub answers at its very start."""
    while True:
        try:
            async with aclosing(client.follow_logs(task_id)) as lines:
                async for line in lines:
                    seen.lines[task_id].append(line)
            return
        except HubUnreachable:
            assert not seen.lines[task_id], "a stream that has begun resumes by itself"
            await asyncio.sleep(RETRY)
