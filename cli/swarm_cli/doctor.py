"""`swarm doctor`: what is missing on this machine, and what mends it."""

import os
from typing import Annotated

import typer

from swarm_cli.check import report
from swarm_cli.checks import checks


def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON, nothing else.")] = False) -> None:
    """What is missing on this machine, and what mends it. Exits with 1 when something is wrong."""
    report(checks(os.environ), as_json)
