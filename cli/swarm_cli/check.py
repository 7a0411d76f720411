"""A check: what was found, whether it will do, and what mends it; and how several are shown."""

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

import typer

from swarm_api.credentials import CredentialError
from swarm_cli.faults import FAILED
from swarm_cli.screen import Screen, safe, safe_json, write

Verdict = Literal["ok", "note", "wrong"]
_SIGNS = {"ok": ("✓", "green"), "note": ("!", "yellow"), "wrong": ("✗", "red")}
_NAME = 13
_INDENT = " " * (_NAME + 2)


class Check(NamedTuple):
    """`note`: it may do. `mend` is a command, or what to change."""

    name: str
    verdict: Verdict
    found: str
    mend: str = ""


def untrusted(name: str, error: CredentialError) -> Check:
    """What is wrong with the credential store. Its errors end with what mends them."""
    found, _, mend = str(error).rpartition("; ")
    return Check(name, "wrong", found or mend, mend if found else "")


def report(checks: Iterable[Check], as_json: bool) -> None:
    """Show each as soon as it is known, or all as JSON. Raises `typer.Exit` with 1 when something is wrong."""
    screen = Screen.of(sys.stdout, os.environ)
    done = []
    for check in checks:
        done.append(check)
        if not as_json:
            _show(check, screen)
    if as_json:
        write(safe_json(json.dumps({"checks": [check._asdict() for check in done]}, indent=2)))
    if any(check.verdict == "wrong" for check in done):
        raise typer.Exit(FAILED)


def _show(check: Check, screen: Screen) -> None:
    sign, style = _SIGNS[check.verdict]
    first, *rest = _lines(check.found, screen)
    write(f"{screen.paint(style, sign)} {check.name:<{_NAME}}{first}")
    for line in rest:
        write(_INDENT + line)
    for number, line in enumerate(_lines("→ " + check.mend, screen) if check.mend else ()):
        write(_INDENT + (line.replace("→", screen.paint("dim", "→"), 1) if number == 0 else "  " + line))


def _lines(text: str, screen: Screen) -> list[str]:
    """The text as wide as the terminal lets it, beside the names; in a pipe on one line."""
    if not screen.terminal:
        return [safe(text)]
    width = max(20, screen.width - len(_INDENT) - 2)
    # Not within quotes, where a shell would take it for a name.
    short = re.sub(rf"(?<!\S){re.escape(str(Path.home()))}/", "~/", text)
    return textwrap.wrap(safe(short), width, break_long_words=False, break_on_hyphens=False) or [""]
