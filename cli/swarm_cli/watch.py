"""`swarm watch`: tasks and agents, live."""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import Annotated

import typer

from swarm_api.client import HubClient
from swarm_api.events import Event
from swarm_cli import event_lines
from swarm_cli.board import Board
from swarm_cli.following import client
from swarm_cli.options import Url
from swarm_cli.screen import Screen, write


def watch(
    as_json: Annotated[bool, typer.Option("--json", help="The journal's events, a line each.")] = False,
    url: Url = None,
) -> None:
    """Tasks and agents as a live table; a line for each event where no terminal is. Ends with ctrl-C."""
    asyncio.run(_watch(as_json, url))


async def _watch(as_json: bool, url: str | None) -> None:
    screen = Screen.of(sys.stdout, os.environ)
    async with client(url) as hub:
        if screen.cursor and not as_json:
            from swarm_cli.live import show_live

            await show_live(hub, await Board.recent(hub), None, screen)
        else:
            await _list(hub, event_lines.as_json if as_json else event_lines.plain)


async def _list(hub: HubClient, line: Callable[[Event], str]) -> None:
    async with aclosing(hub.events()) as events:
        async for event in events:
            write(line(event))
