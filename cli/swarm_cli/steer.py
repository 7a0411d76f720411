"""`swarm cancel`, `retry` and `execute`: what somebody wants of tasks that are there already."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer
from pydantic import BaseModel

from swarm_api.agents import Agent
from swarm_api.client import HubClient
from swarm_api.errors import Conflict, HubUnreachable, InvalidInput, SwarmError
from swarm_api.ids import short
from swarm_api.tasks import Task
from swarm_cli import look
from swarm_cli.completion import task_ids as complete_ids
from swarm_cli.costs import enough
from swarm_cli.dollars import optional_cents
from swarm_cli.faults import BUDGET, DONE, Fault, explain, tell, wrong_usage
from swarm_cli.following import client
from swarm_cli.options import AsJson, TaskIds, Url
from swarm_cli.screen import Screen, safe, safe_json, write
from swarm_cli.task_id import check
from swarm_cli.tasks import as_json as dumped

_CENT = 10_000  # micro-dollars
Deed = Callable[[HubClient, str], Awaitable[Task | Agent]]


def cancel(task_ids: TaskIds, as_json: AsJson = False, url: Url = None) -> None:
    """Stop tasks. Their agents end within seconds, and what they did stays on the branch."""

    async def deed(hub: HubClient, task_id: str) -> Task:
        return await hub.cancel(task_id)

    raise typer.Exit(asyncio.run(_each(deed, task_ids, as_json, url)))


def retry(
    task_ids: TaskIds,
    budget: Annotated[
        str | None, typer.Option(metavar="DOLLARS", help="What each may cost in all from now on.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="From the base, not from where it stopped.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Try failed or cancelled tasks again. They go on with their branch and session."""
    budget_cents = optional_cents(budget, "--budget")

    async def deed(hub: HubClient, task_id: str) -> Task:
        try:
            return await hub.retry(task_id, fresh=fresh, budget_cents=budget_cents)
        except (Conflict, InvalidInput) as error:
            raise await _too_little(hub, task_id, error, budget_cents) or error from error

    raise typer.Exit(asyncio.run(_each(deed, task_ids, as_json, url)))


async def _too_little(hub: HubClient, task_id: str, error: SwarmError, cents: int | None) -> Fault | None:
    """What to say where the budget is all that is wrong."""
    if error.code != "budget_spent" and cents is None:
        return None
    task = dumped(await hub.task(task_id))
    if error.code != "budget_spent" and (cents or 0) * _CENT > task["costMicroUsd"]:
        return None
    given = f"--budget {look.dollars(cents)} is no more than that" if cents is not None else "no more is left to spend"
    known = short(task["id"])
    message = f"task {known} has spent {look.money(task['costMicroUsd'])} already, and {given}"
    return Fault(message, hint=f"swarm retry {known} --budget {enough(task)}", exit_code=BUDGET)


def execute(
    task_ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", autocompletion=complete_ids, help="The tasks to start.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that may start.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Start tasks now, those on hold too."""
    if bool(task_ids) == everything:
        raise wrong_usage("say which tasks, or --all", hint="swarm execute ID, or swarm execute --all")

    async def deed(hub: HubClient, task_id: str) -> Agent:
        return await hub.execute(task_id)

    run = _each(deed, task_ids, as_json, url) if task_ids else _execute_all(as_json, url)
    raise typer.Exit(asyncio.run(run))


async def _each(deed: Deed, task_ids: Sequence[str], as_json: bool, url: str | None) -> int:
    """Do it to every task, also when one is refused; the exit code of the first refusal."""
    check(task_ids)
    async with client(url) as hub:
        codes = [await _one(deed(hub, task_id), as_json) for task_id in task_ids]
    return next((code for code in codes if code != DONE), DONE)


async def _one(doing: Awaitable[Task | Agent], as_json: bool) -> int:
    try:
        answer = await doing
    except HubUnreachable:
        raise
    except (SwarmError, Fault) as error:
        return tell(explain(error) or Fault(str(error)), os.environ)
    write(dumped_json(answer) if as_json else _told(answer))
    return DONE


async def _execute_all(as_json: bool, url: str | None) -> int:
    async with client(url) as hub:
        answer = await hub.execute_all()
    if as_json:
        write(dumped_json(answer))
        return DONE
    for agent in answer.started:
        write(_told(agent))
    for task in answer.blocked:
        reasons = ", ".join(f"{blocked.reason}: {blocked.detail}" for blocked in task.blocked_by)
        write(f"{short(task.task_id)}  blocked  {safe(reasons)}")
    return DONE


def _told(answer: Task | Agent) -> str:
    """The task and its state: of a task that was asked to stop, the state it still has."""
    screen = Screen.of(sys.stdout, os.environ)
    task_id = answer.id if isinstance(answer, Task) else answer.current_task or ""
    mark, style = look.mark(answer.status)
    agent = "" if isinstance(answer, Task) else answer.id
    if not screen.terminal:
        return "\t".join(part for part in (task_id, answer.status, agent) if part)
    return f"{screen.paint('bold', short(task_id))}  {screen.paint(style, mark)}  {agent}".rstrip()


def dumped_json(answer: BaseModel) -> str:
    return safe_json(answer.model_dump_json(by_alias=True, indent=2))
