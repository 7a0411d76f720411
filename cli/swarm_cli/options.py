"""Options and arguments that several commands share."""

from typing import Annotated

import typer

from swarm_cli.completion import task_ids

Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="The hub to talk to.")]
AsJson = Annotated[bool, typer.Option("--json", help="The API's own JSON, nothing else.")]
TaskId = Annotated[str, typer.Argument(metavar="ID", autocompletion=task_ids, help="The task; its id may be short.")]
TaskIds = Annotated[
    list[str], typer.Argument(metavar="ID", autocompletion=task_ids, help="The tasks; ids may be short.")
]
