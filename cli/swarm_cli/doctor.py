"""`swarm doctor`: what is missing on this machine, and what mends it."""

import json
import os
import sys
from typing import Annotated

import typer

from swarm_cli.checks import Check, checks
from swarm_cli.faults import FAILED
from swarm_cli.screen import Screen, safe, safe_json, write

_SIGNS = {"ok": ("✓", "green"), "note": ("!", "yellow"), "wrong": ("✗", "red")}
_NAME = 13


def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON, nothing else.")] = False) -> None:
    """What is missing on this machine, and what mends it. Exits with 1 when something is wrong."""
    screen = Screen.of(sys.stdout, os.environ)
    done = []
    for check in checks(os.environ):
        done.append(check)
        if not as_json:
            _show(check, screen)
    if as_json:
        write(safe_json(json.dumps({"checks": [check._asdict() for check in done]}, indent=2)))
    if any(check.verdict == "wrong" for check in done):
        raise typer.Exit(FAILED)


def _show(check: Check, screen: Screen) -> None:
    sign, style = _SIGNS[check.verdict]
    write(f"{screen.paint(style, sign)} {check.name:<{_NAME}}{safe(check.found)}")
    if check.mend:
        write(f"  {' ' * _NAME}{screen.paint('dim', '→')} {safe(check.mend)}")
