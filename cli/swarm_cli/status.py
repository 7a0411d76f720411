"""`swarm status`, with all its options."""

import os
from typing import Annotated, get_args

import typer

from swarm_api.words import TaskStatus, TaskType
from swarm_cli.completion import task_ids
from swarm_cli.listing import Wanted, show
from swarm_cli.options import AsJson, Url


def _statuses(incomplete: str) -> list[str]:
    return [word for word in get_args(TaskStatus) if word.startswith(incomplete)]


def status(
    task_id: Annotated[
        str | None, typer.Argument(metavar="ID", autocompletion=task_ids, help="All about this one task.")
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", autocompletion=_statuses, help="Only those; may repeat."),
    ] = None,
    kind: Annotated[TaskType | None, typer.Option("--type", help="Only of this type.")] = None,
    label: Annotated[str | None, typer.Option("--label", metavar="K=V", help="Only those with the label.")] = None,
    query: Annotated[str | None, typer.Option("--search", metavar="TEXT", help="Only those that hold it.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, max=200, help="So many at most (20).")] = None,
    cursor: Annotated[str | None, typer.Option("--cursor", help="Go on after a page (its nextCursor).")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Recent tasks, newest first; or all about one."""
    filters = {"status": state, "type": kind, "label": label, "q": query, "limit": limit, "cursor": cursor}
    show(Wanted(task_id, as_json, url, filters), os.environ)
