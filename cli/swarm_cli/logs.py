"""`swarm logs`: what a task's agents say and do."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Annotated

import typer

from swarm_api.client import HubClient
from swarm_api.events import LogLine
from swarm_cli import log_lines
from swarm_cli.faults import DONE
from swarm_cli.following import client
from swarm_cli.log_lines import LogLines
from swarm_cli.options import TaskId, Url
from swarm_cli.screen import Screen, write
from swarm_cli.task_id import check
from swarm_cli.waiting import exit_code, show_end
from swarm_cli.waits import telling_of_waits

_PAGE = 5_000


def logs(
    task_id: TaskId,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="To its end; then exit as submit --wait.")] = False,
    after: Annotated[int, typer.Option(min=0, metavar="SEQ", help="Only what came after this line.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The API's own JSON, a line each.")] = False,
    url: Url = None,
) -> None:
    """What a task's agents say and do. A lost connection is taken up again where it broke."""
    check([task_id])
    raise typer.Exit(asyncio.run(_show(task_id, follow, after, as_json, url)))


async def _show(task_id: str, follow: bool, after: int, as_json: bool, url: str | None) -> int:
    """The exit code: of a task that was followed, how it ended."""
    screen = Screen.of(sys.stdout, os.environ)
    texts = LogLines(screen)
    async with client(url) as hub:
        told = _json if as_json else texts.of
        if not follow:
            await _write(_history(hub, task_id, after), told)
            return DONE
        async with telling_of_waits(hub, await hub.task(task_id)):
            await _write(hub.follow_logs(task_id, after=after), told)
            task = await hub.wait(task_id)
        if screen.terminal and not as_json:
            show_end(task, screen)
        return exit_code([task])


def _json(line: LogLine) -> Iterable[str]:
    return [log_lines.as_json(line)]


async def _write(lines: AsyncGenerator[LogLine, None], told: Callable[[LogLine], Iterable[str]]) -> None:
    async with aclosing(lines):
        async for line in lines:
            for text in told(line):
                write(text)


async def _history(hub: HubClient, task_id: str, after: int) -> AsyncGenerator[LogLine, None]:
    while (page := await hub.logs(task_id, after=after, limit=_PAGE)).lines:
        for line in page.lines:
            yield line
        after = page.next_after
