"""Options and arguments that several commands share."""

import os
from typing import Annotated, Any

import typer
from typer.main import get_command

from swarm_cli.completion import task_ids

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="The hub to talk to.")]


def _allow(insecure: bool) -> None:
    if insecure:
        # The environment is what every command asks next.
        os.environ["SWARM_INSECURE"] = "1"


Insecure = Annotated[
    bool,
    typer.Option("--insecure", callback=_allow, help="Send the credential over plain http to another machine, too."),
]
AsJson = Annotated[bool, typer.Option("--json", help="The API's own JSON, nothing else.")]
TaskId = Annotated[str, typer.Argument(metavar="ID", autocompletion=task_ids, help="The task; its id may be short.")]
TaskIds = Annotated[
    list[str], typer.Argument(metavar="ID", autocompletion=task_ids, help="The tasks; ids may be short.")
]


def group(name: str, **more: Any) -> typer.Typer:
    """A command that has commands of its own."""
    return typer.Typer(name=name, add_completion=False, rich_markup_mode=None, context_settings=HELP, **more)


def insecure_option() -> Any:
    """`--insecure` for every command that takes `--url`: the command itself is not told."""

    def command(insecure: Insecure = False) -> None: ...

    app = typer.Typer(add_completion=False)
    app.command()(command)
    (option,) = get_command(app).params
    option.expose_value = False
    return option
