"""`swarm setup`: settings and keys, asked for on a terminal or read from stdin; and whether they work."""

import os
import sys
from typing import Annotated, Literal

import typer

from swarm_cli.faults import wrong_usage

Provider = Literal["local", "fly", "azure", "slurm"]


def setup(
    provider: Annotated[Provider | None, typer.Option("--provider", help="Where agents run; not asked then.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Call all that is set up; exit 1 if something fails.")] = False,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the answers from stdin: one JSON object.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: as JSON, nothing else.")] = False,
) -> None:
    """Set this machine up: provider, hub, keys, what tasks are given. Ctrl-C leaves everything as it was."""
    _check_usage(provider, check, stdin, as_json)
    if check:
        from swarm_cli.check import report
        from swarm_cli.setup_check import setup_checks

        return report(setup_checks(os.environ), as_json)
    from swarm_cli.fly_setup import make_apps
    from swarm_cli.setup_changes import make
    from swarm_cli.setup_summary import tell_made, tell_next, tell_remarks

    if stdin:
        from swarm_cli.setup_stdin import read_changes

        changes = read_changes(sys.stdin.buffer, provider)
        tell_made(changes, make(changes, os.environ), os.environ)
        tell_remarks(changes.settings)
        return make_apps(os.environ)
    from swarm_cli.setup_wizard import ask_all, leave_plain_file

    changes = ask_all(provider, os.environ)
    tell_made(changes, make(changes, os.environ), os.environ)
    leave_plain_file(os.environ)
    make_apps(os.environ)
    return tell_next(changes, os.environ)


def _check_usage(provider: str | None, check: bool, stdin: bool, as_json: bool) -> None:
    """Raises a usage `Fault`."""
    if check and (stdin or provider):
        raise wrong_usage("--check changes nothing: it goes with --json alone", hint="swarm setup --help")
    if as_json and not check:
        raise wrong_usage("--json goes with --check", hint="swarm setup --check --json, swarm config --list --json")
    if not (check or stdin or (sys.stdin.isatty() and sys.stdout.isatty())):
        ways = "swarm setup --stdin < settings.json, swarm config set NAME VALUE, or variables (ANTHROPIC_API_KEY, …)"
        raise wrong_usage("setup asks its questions on a terminal, and this is none", hint=ways)
