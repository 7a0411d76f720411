"""The live view: a board on a terminal, drawn anew a few times a second."""

import asyncio
import sys
from collections import deque
from collections.abc import Collection, Sequence
from itertools import count

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from swarm_api.client import HubClient
from swarm_api.errors import SwarmError
from swarm_api.events import Event
from swarm_cli import event_lines, look
from swarm_cli.board import Board
from swarm_cli.keyboard import without_echo
from swarm_cli.money_line import standing
from swarm_cli.screen import Screen, write
from swarm_cli.table import lines
from swarm_cli.tasks import Json, name
from swarm_cli.tasks import table as tasks_table

_REDRAW = 0.125  # seconds
_LOOK_AT_AGENTS = 8  # every so many drawings
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_LOOK_AT_MONEY = 40  # likewise
_EVENTS = 5
_SAID_BY_OTHERS = frozenset({"agent_spawned", "agent_completed"})  # the task's own events say it
_AROUND = 9 + _EVENTS  # lines that are not tasks


async def show_live(hub: HubClient, board: Board, only: Collection[str] | None, screen: Screen) -> None:
    """Show the board until these tasks have ended, and leave it as a table; or (None) for ever."""
    view = View(board, screen, steady=only is not None)
    with without_echo(), Live(view.drawn(), console=view.console, auto_refresh=False) as live:
        try:
            async with asyncio.TaskGroup() as group:
                drawing = group.create_task(_draw(hub, view, live))
                await board.keep_up(hub, only, view.take)
                drawing.cancel()
        except* SwarmError as errors:
            raise errors.exceptions[0] from None
        live.transient = True  # the table takes its place; what was interrupted stays as it was
    shown = tasks_table(board.in_order(), {})
    for line in lines(shown.columns, shown.rows, screen):
        write(line)


async def _draw(hub: HubClient, view: "View", live: Live) -> None:
    for drawing in count():
        if drawing % _LOOK_AT_AGENTS == 0:
            await view.board.look_at_agents(hub)
        if drawing % _LOOK_AT_MONEY == 0 and not view.steady:
            view.money = await standing(hub, view.screen)
        live.update(view.drawn(), refresh=True)
        await asyncio.sleep(_REDRAW)


class View:
    """The board as rich draws it, with the latest events below."""

    def __init__(self, board: Board, screen: Screen, steady: bool) -> None:
        """`steady`: tasks keep their places as long as there is room for all."""
        self.board = board
        self.console = Console(file=sys.stdout, no_color=not screen.colour, highlight=False)
        self.screen = screen
        self.steady = steady
        self.money: list[str] = []
        self._latest: deque[tuple[str, ...]] = deque(maxlen=_EVENTS)
        self._turn = 0

    def take(self, events: Sequence[Event]) -> None:
        for event in events:
            task = self.board.tasks.get(str(event.payload.get("taskId")))
            if event.type not in _SAID_BY_OTHERS and (task is not None or event.type in event_lines.OF_ALL):
                self._latest.append(event_lines.brief(event, name(task) if task else ""))

    def drawn(self) -> RenderableType:
        self._turn += 1
        room = max(3, self.console.height - _AROUND)
        more = len(self.board.tasks) - room
        tasks = self.board.in_order() if self.steady and more <= 0 else self.board.most_telling(room)
        parts: list[RenderableType] = [self._counts(), Text(), self._table(tasks)]
        if more > 0:
            parts.append(Text(f"… and {more} more", style="dim"))
        parts += [Text(), self._events()]
        parts += [Text.from_ansi(line) for line in self.money]
        if not self.steady:
            parts.append(Text("ctrl-C ends", style="dim"))
        return Group(*parts)

    def _events(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        for parts in self._latest:
            table.add_row(*(Text(part, style="dim", no_wrap=True, overflow="ellipsis") for part in parts))
        return table

    def _counts(self) -> Text:
        line = Text("  ").join(_count(status, number) for status, number in self.board.counts().items())
        if self.board.partial:
            line.append(f"  of the newest {len(self.board.tasks)}", style="dim")
        return line or Text('waiting for tasks: swarm submit -p "…"', style="dim")

    def _table(self, tasks: Sequence[Json]) -> Table:
        table = Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        shown = tasks_table(tasks, self.board.agents)
        for column in shown.columns:
            table.add_column(
                column.title, ratio=column.share or None, justify="right" if column.right else "left", no_wrap=True
            )
        for cells in shown.rows:
            table.add_row(*(Text(self._spun(cell.text), style=cell.style, overflow="ellipsis") for cell in cells))
        return table

    def _spun(self, text: str) -> str:
        sign, _ = look.STATUS["running"]
        return _SPINNER[self._turn % len(_SPINNER)] + text[1:] if text.startswith(f"{sign} ") else text


def _count(status: str, number: int) -> Text:
    sign, style = look.STATUS[status]
    return Text(f"{sign} {number} {status}", style=style)
