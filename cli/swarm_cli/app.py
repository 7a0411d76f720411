"""The typer application: every command of the table, each imported only when it is called."""

import os
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from swarm_api import __version__
from swarm_cli.commands import COMMANDS, Entry
from swarm_cli.faults import DONE, FAILED, Fault, wrong_usage
from swarm_cli.options import HELP, Insecure, insecure_option
from swarm_cli.screen import write


def run_command(arguments: list[str]) -> int:
    """Parse the arguments and run the command; the exit code. Raises what `faults.explain` knows."""
    try:
        # A callback's value is no exit code; one that ends early raises Exit, whose code typer returns.
        code = get_command(application())(arguments, prog_name="swarm", standalone_mode=False)
    except typer.TyperException as error:
        raise _told(error, arguments) from None
    except typer.Abort:
        return FAILED
    return code if isinstance(code, int) else DONE


def _told(error: typer.TyperException, arguments: list[str]) -> Fault:
    """A key may be among the arguments by mistake: it is in the shell's history then, and on the screen no more."""
    from swarm_api.redaction import Redactor

    message = error.format_message()
    redacted = Redactor().text(message)
    return wrong_usage(
        redacted, _help_of(error, arguments) if redacted == message else "no argument is a safe place for a key"
    )


def _help_of(error: typer.TyperException, arguments: list[str]) -> str:
    """Of the command that was meant. An option without its value has no context."""
    if context := getattr(error, "ctx", None):
        return f"{context.command_path} --help"
    for at, word in enumerate(arguments):
        if entry := COMMANDS.get(word):
            below = getattr(load(entry), "commands", {})
            return " ".join(["swarm", word, *[name for name in arguments[at + 1 :] if name in below][:1], "--help"])
    return "swarm --help"


def application() -> typer.Typer:
    app = typer.Typer(name="swarm", cls=Commands, context_settings=HELP, rich_markup_mode=None)
    app.callback()(_options)
    return app


def _options(
    url: Annotated[str | None, typer.Option("--url", help="The hub to talk to.", metavar="URL")] = None,
    insecure: Insecure = False,  # noqa: ARG001  # it acts by itself
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Many Claude coding agents side by side, each in its own git worktree."""
    if version:
        write(f"swarm {__version__}")
        raise typer.Exit
    if url is not None:
        # The environment is what every command asks next, after an `--url` of its own.
        os.environ["SWARM_URL"] = url


class Commands(TyperGroup):
    """The table of commands as a group: names and summaries are there, the commands come when called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "commands": {name: Late(entry) for name, entry in COMMANDS.items()}})


class Late(TyperCommand):
    """A command that is imported when it is called."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.name, help=entry.summary, rich_markup_mode=None)
        self._entry = entry

    def make_context(self, *args: Any, **settings: Any) -> Any:
        return load(self._entry).make_context(*args, **settings)


def load(entry: Entry) -> Any:
    """The command itself, with what its module needs."""
    module, _, name = entry.target.partition(":")
    target = getattr(import_module(module), name)
    app = target
    if not isinstance(target, typer.Typer):
        app = typer.Typer(add_completion=False, context_settings=HELP, rich_markup_mode=None)
        app.command(entry.name)(target)
    command = get_command(app)
    for one in (command, *getattr(command, "commands", {}).values()):
        if any(parameter.name == "url" for parameter in one.params):
            one.params.append(insecure_option())
    return command
