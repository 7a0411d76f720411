"""`swarm config`: the settings of this machine, one by one. Secrets are shown as set or unset."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from swarm_api.config import FIELDS, config_file
from swarm_api.credentials import NAMES, VARIABLES, Credentials
from swarm_cli.configured import Setting, parsed, setting, settings
from swarm_cli.faults import FAILED, wrong_usage
from swarm_cli.options import group
from swarm_cli.screen import Screen, safe, safe_json, write
from swarm_cli.setup_changes import OF_THE_HUB, SECRETS, Changes, make, warn
from swarm_cli.setup_summary import tell_forgotten, tell_remarks
from swarm_cli.table import Cell, Column, lines, tabbed

config = group("config")
_COLUMNS = (Column("setting"), Column("value", share=1), Column("from"))


def _names(incomplete: str) -> list[str]:
    return [name for name in FIELDS if name.startswith(incomplete)]


Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=_names, help="The setting.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, nothing else.")]


@config.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--list", help="All settings, and where each comes from.")] = False,
    as_json: AsJson = False,
) -> None:
    """The settings of this machine. Secrets are shown as set or unset, and never taken as arguments."""
    if context.invoked_subcommand is None:
        return _show_json() if as_json else _show()
    if everything or as_json:
        raise wrong_usage("--list and --json stand alone, or --json after `get NAME`", hint="swarm config --help")
    return None


@config.command()
def get(name: Name, as_json: AsJson = False) -> None:
    """A setting's value, whatever it comes from. Exits with 1 when there is none."""
    if (secret := _secret(name)) is not None:
        origin = _credentials().origins()[secret]
        write(_json(_secret_facts(secret, origin)) if as_json else f"set ({origin})" if origin else "unset")
        found = origin is not None
    else:
        _check_known(name)
        value = setting(name, os.environ)
        if as_json or value.value is not None:
            write(_json(value._asdict()) if as_json else safe(str(value.value)))
        found = value.value is not None
    if not found:
        raise typer.Exit(FAILED)


@config.command("set")
def set_(name: Name, value: Annotated[str | None, typer.Argument(metavar="VALUE")] = None) -> None:
    """Write a setting into the config file. A hub that runs keeps what it was started with."""
    if (secret := _secret(name)) is not None:
        # Arguments stand in the shell's history, and everybody on the machine sees them in `ps`.
        safely = "swarm login" if secret in OF_THE_HUB else "swarm setup, or swarm setup --stdin"
        raise wrong_usage(f"{secret} is a secret, and no argument is a safe place for one", hint=safely)
    _check_known(name)
    if value is None:
        raise wrong_usage(f"{name}: the value is missing", hint=f"swarm config set {name} VALUE, or unset {name}")
    new = parsed(name, value)
    _make(Changes({name: new}, {}))
    tell_remarks({name: new})
    _warn_of_variable(name)


@config.command()
def unset(name: Name) -> None:
    """Take away a setting, or a stored secret."""
    secret = _secret(name)
    if secret in OF_THE_HUB:
        raise wrong_usage(f"{secret} is the hub's", hint="swarm logout")
    if secret is None:
        _check_known(name)
    _make(Changes({}, {secret: None}) if secret else Changes({name: None}, {}))
    _warn_of_variable(secret or name)


def _make(changes: Changes) -> None:
    tell_forgotten(make(changes, os.environ))


def _warn_of_variable(name: str) -> None:
    """Say when it makes no difference, as the environment has it too."""
    variable = VARIABLES.get(name) or setting(name, os.environ).variable
    if variable and os.environ.get(variable):
        warn(f"{variable} is set here, and wins")


def _secret(name: str) -> str | None:
    """The credential of that name, or of its name among the fields."""
    return name if name in NAMES else SECRETS.get(name)


def _check_known(name: str) -> None:
    if name not in FIELDS:
        known = ", ".join(sorted((*FIELDS, *NAMES)))
        raise wrong_usage(f"unknown setting {name!r}; known are {known}", hint="swarm config --list")


def _credentials() -> Credentials:
    return Credentials(os.environ, warn)


def _show_json() -> None:
    secrets = [_secret_facts(name, origin) for name, origin in _credentials().origins().items()]
    found = [value._asdict() for value in settings(os.environ)]
    write(_json({"file": str(config_file(os.environ)), "settings": found, "secrets": secrets}))


def _secret_facts(name: str, origin: str | None) -> dict[str, Any]:
    variable = VARIABLES[name] if origin == "environment" else None
    return {"name": name, "set": origin is not None, "origin": origin, "variable": variable}


def _json(facts: Any) -> str:
    return safe_json(json.dumps(facts, ensure_ascii=False, indent=2))


def _show() -> None:
    screen = Screen.of(sys.stdout, os.environ)
    rows = list(_rows())
    if not screen.terminal:
        for line in tabbed([cell.text for cell in row] for row in rows):
            write(line)
        return
    for line in lines(_COLUMNS, rows, screen):
        write(line)
    write(screen.paint("dim", f"\n{safe(str(config_file(os.environ)))}"))


def _rows() -> Iterator[list[Cell]]:
    for value in settings(os.environ):
        shown = "" if value.value is None else safe(str(value.value))
        yield [Cell(value.name), Cell(shown), Cell(_from(value), "dim")]
    for name, origin in _credentials().origins().items():
        place = f"environment, {VARIABLES[name]}" if origin == "environment" else origin or ""
        yield [Cell(name), Cell("set" if origin else "unset", "green" if origin else "dim"), Cell(place, "dim")]


def _from(value: Setting) -> str:
    return f"environment, {value.variable}" if value.variable else value.origin or ""
