"""Says on stderr what a task that somebody follows waits for, where its log has nothing to say."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from swarm_api.client import HubClient
from swarm_api.tasks import Task
from swarm_cli.blocked import on_money, told
from swarm_cli.event_lines import OF_ALL
from swarm_cli.screen import Screen, wrapped, write
from swarm_cli.tasks import as_json


@asynccontextmanager
async def telling_of_waits(hub: HubClient, task: Task, *, said: str = "") -> AsyncIterator[None]:
    """Tell of money and usage limits while the task is followed: once for each reason. `said`: one that is told."""
    telling = asyncio.create_task(_tell(hub, task, said))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)  # who follows the task hears of a lost hub, too


def reason(task: Task) -> str:
    """`budget` or `usage_limit`, where it waits for that."""
    blocked = on_money(as_json(task))
    return blocked["reason"] if blocked else ""


async def _tell(hub: HubClient, task: Task, said: str) -> None:
    said = _tell_anew(task, said)
    async with aclosing(hub.events(after=task.seq - 1)) as events:
        async for event in events:
            if event.payload.get("taskId") == task.id or event.type in OF_ALL:
                said = _tell_anew(await hub.task(task.id), said)


def _tell_anew(task: Task, said: str) -> str:
    """The reason why it waits now, told unless it is the one that was."""
    blocked = on_money(as_json(task))
    if blocked is None:
        return ""
    if blocked["reason"] != said:
        screen = Screen.of(sys.stderr, os.environ)
        for line in wrapped(f"waits {told(blocked)}", screen):
            write(screen.paint("yellow", line), sys.stderr)
    return str(blocked["reason"])
