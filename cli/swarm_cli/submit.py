"""`swarm submit`: one task from flags, or many from a file."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from swarm_api.client import HubClient
from swarm_api.config import config_file, hub_url, read_config
from swarm_api.errors import InvalidInput, NotFound
from swarm_api.ids import TASK_ID, short
from swarm_api.invalid import invalid
from swarm_api.tasks import Task, TaskBatch, TaskIn
from swarm_cli import task_flags as flag
from swarm_cli.blocked import told as told_of
from swarm_cli.bringing import brought, is_elsewhere
from swarm_cli.dollars import optional_cents
from swarm_cli.faults import DONE, wrong_usage
from swarm_cli.following import client
from swarm_cli.options import AsJson, Url
from swarm_cli.repository import absolute_repo
from swarm_cli.screen import Screen, safe_json, wrapped, write
from swarm_cli.task_id import is_likely
from swarm_cli.tasks import as_json as dumped
from swarm_cli.tasks import title
from swarm_cli.tasks_file import TasksFile
from swarm_cli.waiting import ended, show_to_the_end

# The config's settings that are fields of a task.
_SETTINGS = {
    "defaultModel": "model", "defaultPriority": "priority", "defaultBudgetCents": "budgetCents",
    "defaultTimeoutMinutes": "timeoutMinutes",
}  # fmt: skip
Fields = Mapping[str, Any]


def submit(
    source: Annotated[str | None, typer.Argument(metavar="-", help="A file of tasks on stdin, YAML or JSON.")] = None,
    prompt: flag.Prompt = None,
    file: Annotated[str | None, typer.Option("-f", "--file", metavar="FILE", help="A file of tasks: YAML.")] = None,
    model: flag.Model = None,
    kind: flag.Kind = None,
    priority: flag.Rank = None,
    repo: flag.Repo = None,
    base_ref: flag.BaseRef = None,
    name: flag.Name = None,
    depends_on: flag.DependsOn = None,
    context: flag.Context = None,
    budget: flag.Budget = None,
    timeout: flag.Timeout = None,
    max_attempts: flag.MaxAttempts = None,
    max_turns: flag.MaxTurns = None,
    tier: flag.Size = None,
    hold: flag.Hold = False,
    deliver: flag.Delivery = None,
    push: flag.Push = False,
    verify: flag.Verify = None,
    label: flag.Labels = None,
    repo_settings: flag.Settings = None,
    bring: flag.Bring = None,
    changes: flag.Changes = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it to its end; exit 1 if it fails, 6 for its budget.")
    ] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Hand out a task, or a file of them. What a file's tasks leave open, the flags say."""
    flags = {
        "prompt": prompt, "model": model, "type": kind, "priority": priority, "repo": repo, "baseRef": base_ref,
        "name": name, "dependsOn": depends_on, "context": context, "timeoutMinutes": timeout,
        "budgetCents": optional_cents(budget, "--budget"), "maxAttempts": max_attempts, "maxTurns": max_turns,
        "tier": tier, "hold": hold or None, "deliver": deliver, "push": push or None, "verify": verify,
        "labels": _labels(label), "repoSettings": repo_settings,
    }  # fmt: skip
    given = {field: value for field, value in flags.items() if value is not None}
    path = _file(source, file, prompt)
    order = Order.of_file(path, given) if path else Order.of_flags(given)
    _bring(order, url, bring, changes=changes)
    raise typer.Exit(asyncio.run(_submit(order, wait, as_json, url)))


def _bring(order: "Order", url: str | None, bring: bool | None, *, changes: bool) -> None:
    """Before anything is handed out: what cannot be brought is no task yet."""
    hub = hub_url(url, os.environ)
    if is_elsewhere(hub) if bring is None else bring:
        order.tasks = brought(order.tasks, hub, os.environ, changes=changes)
    elif changes:
        raise wrong_usage("--with-changes goes with a repository that is brought to the hub", hint="--bring")


def _file(source: str | None, file: str | None, prompt: str | None) -> str | None:
    """The file of tasks that was named, if one was. Raises a usage `Fault` unless exactly one way was taken."""
    if source not in (None, "-"):
        raise wrong_usage(f"unexpected {source!r}", hint=f'swarm submit -p "{source}"')
    if sum(way is not None for way in (source, file, prompt)) != 1:
        raise wrong_usage("say what to do, in one way", hint='swarm submit -p "…", -f tasks.yaml, or - for stdin')
    return source or file


def _labels(pairs: Sequence[str] | None) -> dict[str, str] | None:
    if not pairs:
        return None
    split = [pair.partition("=") for pair in pairs]
    if wrong := [pair for pair, (_, sign, _) in zip(pairs, split, strict=True) if not sign]:
        raise wrong_usage(f"--label: {wrong[0]!r} must look like key=value")
    return {key: value for key, _, value in split}


class Order:
    """What is to be handed out: a task, or the tasks of a file."""

    def __init__(self, tasks: list[TaskIn], file: TasksFile | None) -> None:
        self.tasks = tasks
        self._file = file

    @classmethod
    def of_flags(cls, flags: Fields) -> "Order":
        """Raises `InvalidInput`, and a usage `Fault` for a path outside a repository."""
        if "repo" not in flags:
            _mention_repo()
        fields = {**_settings(), **flags}
        if "repo" in fields:
            fields["repo"] = absolute_repo(fields["repo"], Path.cwd())
        try:
            return cls([TaskIn.model_validate(fields)], None)
        except ValidationError as error:
            raise invalid(error) from error

    @classmethod
    def of_file(cls, path: str, flags: Fields) -> "Order":
        """Raises a usage `Fault`, with the place in the file."""
        file = TasksFile.read(path)
        return cls(file.tasks(flags, _settings()), file)

    async def hand_out(self, hub: HubClient) -> list[Task]:
        tasks = [await self._with_whole_ids(hub, task) for task in self.tasks]
        try:
            return await hub.submit_batch(tasks) if self._file else [await hub.submit(tasks[0])]
        except InvalidInput as error:
            raise self._file.fault(error) if self._file else error from error

    async def _with_whole_ids(self, hub: HubClient, task: TaskIn) -> TaskIn:
        if not task.depends_on:
            return task
        names = {other.name for other in self.tasks}
        ids = [wanted if wanted in names else await _whole_id(hub, wanted) for wanted in task.depends_on]
        return task.model_copy(update={"depends_on": ids})

    def to_json(self, tasks: list[Task]) -> str:
        """As the API answers: a task, or a batch."""
        answer = TaskBatch(tasks=tasks) if self._file else tasks[0]
        return safe_json(answer.model_dump_json(by_alias=True, indent=2))


def _mention_repo() -> None:
    """Say to people in a repository that it is not the one worked on."""
    here = Path.cwd()
    if sys.stderr.isatty() and any((folder / ".git").exists() for folder in (here, *here.parents)):
        write("no --repo: the agent works in an empty repository of its own (--repo . for this one)", sys.stderr)


def _settings() -> Fields:
    config = read_config(config_file(os.environ))
    return {field: config[setting] for setting, field in _SETTINGS.items() if setting in config}


async def _whole_id(hub: HubClient, wanted: str) -> str:
    if TASK_ID.match(wanted) or not is_likely(wanted):
        return wanted
    try:
        return (await hub.task(wanted)).id
    except NotFound:
        return wanted  # the hub says it with the place of the field


async def _submit(order: Order, wait: bool, as_json: bool, url: str | None) -> int:
    screen, code = Screen.of(sys.stdout, os.environ), DONE
    async with client(url) as hub:
        tasks = await order.hand_out(hub)
        if not as_json:
            _confirm(tasks, wait, screen)
            _tell_of_money(tasks, screen)
        try:
            if wait and not as_json:
                await show_to_the_end(hub, tasks, screen)
            if wait:
                tasks, code = await ended(hub, tasks)
        except asyncio.CancelledError:  # ctrl-C
            _go_on(tasks)
            raise
    if as_json:
        write(order.to_json(tasks))
    return code


def _go_on(tasks: Sequence[Task]) -> None:
    newline = "\n" if sys.stderr.isatty() else ""
    known = short(tasks[0].id)
    said = f"the task goes on: swarm logs -f {known}, swarm cancel {known}"
    write(newline + (said if len(tasks) == 1 else "the tasks go on: swarm watch, swarm cancel ID …"), sys.stderr)


def _tell_of_money(tasks: Sequence[Task], screen: Screen) -> None:
    """Say at once what would else look like a hub that does nothing."""
    waiting = [(task, blocked) for task in map(dumped, tasks) for blocked in task["blockedBy"][:1]]
    short_of = [(task, blocked) for task, blocked in waiting if blocked["reason"] in ("budget", "usage_limit")]
    if short_of:
        task, blocked = short_of[0]
        others = f" (and {len(short_of) - 1} more)" if len(short_of) > 1 else ""
        for line in wrapped(f"{short(task['id'])} waits {told_of(blocked)}{others}", screen):
            write(screen.paint("yellow", line), None if screen.terminal else sys.stderr)


def _confirm(tasks: Sequence[Task], wait: bool, screen: Screen) -> None:
    if not screen.terminal:
        for task in tasks:
            write(task.id, sys.stderr if wait else sys.stdout)
        return None
    said = screen.paint("green", "submitted")
    if wait and len(tasks) > 1:
        return write(f"{said} {len(tasks)} tasks\n")
    for task in tasks:
        write(f"{said} {screen.paint('bold', short(task.id))}  {title(dumped(task))}")
    if not wait:
        follow = f"swarm logs -f {short(tasks[0].id)}" if len(tasks) == 1 else "swarm watch"
        write(screen.paint("dim", f"follow: {follow}"))
    return None
