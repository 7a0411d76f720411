"""Following tasks to their end: one by its log, several as a table."""

from collections.abc import Sequence
from contextlib import aclosing

from swarm_api.client import HubClient
from swarm_api.events import Event
from swarm_api.ids import short
from swarm_api.tasks import Task
from swarm_cli import event_lines, look
from swarm_cli.board import Board
from swarm_cli.costs import more_money
from swarm_cli.faults import BUDGET, DONE, FAILED
from swarm_cli.log_lines import LogLines
from swarm_cli.screen import Screen, safe, write
from swarm_cli.tasks import as_json, outcome, run_time
from swarm_cli.waits import reason, telling_of_waits


async def show_to_the_end(hub: HubClient, tasks: Sequence[Task], screen: Screen) -> None:
    """Show one task's log and how it ended, or several tasks as a table, until all have ended."""
    if len(tasks) > 1:
        return await follow_board(hub, Board(tasks, tasks[0].seq - 1), screen)
    async with telling_of_waits(hub, tasks[0], said=reason(tasks[0])):  # who handed it out was told at once
        await _show_log(hub, tasks[0], screen)
    return show_end(await hub.wait(tasks[0].id), screen)


async def ended(hub: HubClient, tasks: Sequence[Task]) -> tuple[list[Task], int]:
    """The tasks once all have ended, and the exit code."""
    found = [await hub.wait(task.id) for task in tasks]
    return found, exit_code(found)


def exit_code(tasks: Sequence[Task]) -> int:
    """Of tasks that have ended: 1 if one did not complete, and 6 if more money is all that it takes."""
    ends = {_end(task) for task in tasks if task.status != "completed"}
    if not ends:
        return DONE
    return BUDGET if "budget" in ends and ends <= {"budget", "dependency_failed"} else FAILED


def _end(task: Task) -> str:
    """What ended it: the code of its error, and `budget` whatever that says."""
    result = task.result
    if result is None or result.error is None or result.status == "budget":
        return result.status if result else task.status
    return result.error.code


async def follow_board(hub: HubClient, board: Board, screen: Screen) -> None:
    """Show the tasks of a board until all have ended: live on a terminal, else a line for each event."""
    only = frozenset(board.tasks)
    if screen.cursor:
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


def show_end(task: Task, screen: Screen) -> None:
    """How it ended, and where its work is."""
    shown = as_json(task)
    mark, style = look.mark(task.status)
    took = f" · in {run_time(shown)}" if task.started_at else ""
    write(f"{screen.paint(style, mark)}  {short(task.id)}  {outcome(shown, None)}{took}")
    if task.result and task.result.branch:
        write(f"{screen.paint('dim', 'branch')} {safe(task.result.branch)}")
    if more := more_money(shown):
        write(f"{screen.paint('dim', 'go on')}  swarm retry {short(task.id)}{more}")
