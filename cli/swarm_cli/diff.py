"""`swarm diff`: what a task changed."""

import asyncio
import os
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from swarm_api.tasks import Diff
from swarm_cli import look
from swarm_cli.following import client
from swarm_cli.options import TaskId, Url
from swarm_cli.screen import Screen, cells, fit, safe, safe_json, write
from swarm_cli.task_id import check

_STYLES = {"diff ": "bold", "@@": "cyan", "+++": "bold", "---": "bold", "+": "green", "-": "red"}
_BAR = 40


def diff(
    task_id: TaskId,
    stat: Annotated[bool, typer.Option("--stat", help="Files and how much of them, not the lines.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The API's own JSON: for each file.")] = False,
    url: Url = None,
) -> None:
    """What a task changed; of one that runs, what its branch holds so far."""
    check([task_id])
    asyncio.run(_show(task_id, stat, as_json, url))


async def _show(task_id: str, stat: bool, as_json: bool, url: str | None) -> None:
    screen = Screen.of(sys.stdout, os.environ)
    async with client(url) as hub:
        if as_json:
            files = await hub.diff_files(task_id)
            write(safe_json(files.model_dump_json(by_alias=True, indent=2)))
        elif stat:
            for line in stat_lines(await hub.diff_files(task_id), screen):
                write(line)
        else:
            _write_diff(await hub.diff(task_id), screen)


def _write_diff(text: str, screen: Screen) -> None:
    """As it is for programs, `git apply` among them; safe and coloured for people."""
    if not screen.terminal:
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
        return
    for line in text.removesuffix("\n").split("\n") if text else ():
        style = next((style for start, style in _STYLES.items() if line.startswith(start)), "")
        write(screen.paint(style, safe(line)))


def stat_lines(diff: Diff, screen: Screen) -> Iterator[str]:
    """As `git diff --stat` has it."""
    if not diff.files:
        return
    names = [safe(file.path) for file in diff.files]
    width = min(max(map(cells, names)), max(20, screen.width - _BAR - 10))
    most = max(file.additions + file.deletions for file in diff.files) or 1
    scale = min(1.0, (_BAR - 10) / most)
    for name, file in zip(names, diff.files, strict=True):
        total = "Bin" if file.binary else str(file.additions + file.deletions)
        plus, minus = (_bar("+", file.additions, scale), _bar("-", file.deletions, scale))
        shown = fit(name, width)
        bar = screen.paint("green", plus) + screen.paint("red", minus)
        yield f" {shown}{' ' * (width - cells(shown))} | {total:>4} {bar}".rstrip()
    yield f" {look.changes(len(diff.files), diff.additions, diff.deletions)}"


def _bar(sign: str, lines: int, scale: float) -> str:
    return sign * max(1, round(lines * scale)) if lines else ""
