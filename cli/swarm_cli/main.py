"""The entry point of `swarm`. `status` and `--help` go past typer, whose import alone would take their time."""

import gc
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from swarm_api import __version__
from swarm_cli.faults import DONE, INTERRUPTED, USAGE, explain, tell, wrong_usage
from swarm_cli.screen import Screen, write


def main() -> NoReturn:
    """Run the command that the arguments name; exits with the codes of `faults`."""
    # Text that the terminal's encoding lacks is spelled out instead of being a traceback.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a TextIOWrapper, unless replaced
    arguments = sys.argv[1:]
    if guarded(lambda: _check_text(arguments)) != DONE:
        sys.exit(USAGE)
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    try:
        run(arguments)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)


def _check_text(arguments: list[str]) -> None:
    """Raises a usage `Fault` for bytes that are no UTF-8, which Python hands over as surrogates."""
    for word in arguments:
        try:
            word.encode()
        except UnicodeEncodeError:
            shown = word.encode(errors="surrogateescape").decode(errors="backslashreplace")
            raise wrong_usage(f"'{shown}' is not UTF-8") from None


def run(arguments: list[str]) -> NoReturn:
    """Run the command, in the quickest way there is for it, and leave."""
    command = _quick(arguments)
    if command is not None:
        # Collecting garbage and taking down the interpreter would be a fifth of its time.
        gc.disable()
        os._exit(guarded(command))
    from swarm_cli.app import run_command

    code = guarded(lambda: run_command(arguments))
    sys.exit(code)


def guarded(command: Callable[[], int | None]) -> int:
    """The command's exit code, after its errors were told."""
    try:
        code = command()
        sys.stdout.flush()
        return code or DONE
    except Exception as error:
        fault = explain(error)
        if fault is None:
            raise
        return tell(fault, os.environ)


def _quick(arguments: list[str]) -> Callable[[], int | None] | None:
    """The command, if it is one that must feel instant and is called in a usual way."""
    if "_SWARM_COMPLETE" in os.environ:
        return None
    if arguments in ([], ["--help"], ["-h"]):
        return _help
    if arguments == ["--version"]:
        return lambda: write(f"swarm {__version__}")
    if arguments[0] == "status":
        from swarm_cli.quick import status

        return status(arguments[1:])
    return None


def _help() -> None:
    from swarm_cli.overview import overview

    for line in overview(Screen.of(sys.stdout, os.environ)):
        write(line)
