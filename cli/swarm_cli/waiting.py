"""Following tasks to their end: one by its log, several as a table."""

from collections.abc import Sequence
from contextlib import aclosing

from swarm_api.client import HubClient
from swarm_api.events import Event
from swarm_api.ids import short
from swarm_api.tasks import Task
from swarm_cli import event_lines, look
from swarm_cli.board import Board
from swarm_cli.faults import DONE, FAILED
from swarm_cli.log_lines import LogLines
from swarm_cli.screen import Screen, safe, write
from swarm_cli.tasks import as_json, outcome, run_time


async def wait_for_all(hub: HubClient, tasks: Sequence[Task], screen: Screen, *, quiet: bool) -> tuple[list[Task], int]:
    """The tasks once all have ended, shown on the way unless `quiet`; and the exit code: 1 if one did not complete."""
    if len(tasks) == 1 and not quiet:
        await _show_log(hub, tasks[0], screen)
    elif not quiet:
        await follow_board(hub, Board(tasks, tasks[0].seq - 1), screen)
    ended = [await hub.wait(task.id) for task in tasks]
    if len(tasks) == 1 and not quiet:
        _show_end(ended[0], screen)
    return ended, DONE if all(task.status == "completed" for task in ended) else FAILED


async def follow_board(hub: HubClient, board: Board, screen: Screen) -> None:
    """Show the tasks of a board until all have ended: live on a terminal, else a line for each event."""
    only = frozenset(board.tasks)
    if screen.terminal:
        from swarm_cli.live import show_live

        await show_live(hub, board, only, screen)
    else:
        await board.keep_up(hub, only, write_plain)


def write_plain(events: Sequence[Event]) -> None:
    for event in events:
        write(event_lines.plain(event))


async def _show_log(hub: HubClient, task: Task, screen: Screen) -> None:
    texts = LogLines(screen)
    async with aclosing(hub.follow_logs(task.id)) as lines:
        async for line in lines:
            for text in texts.of(line):
                write(text)


def _show_end(task: Task, screen: Screen) -> None:
    shown = as_json(task)
    mark, style = look.mark(task.status)
    took = f" · in {run_time(shown)}" if task.started_at else ""
    write(f"{screen.paint(style, mark)}  {short(task.id)}  {outcome(shown, None)}{took}")
    if task.result and task.result.branch:
        write(f"{screen.paint('dim', 'branch')} {safe(task.result.branch)}")
