"""`swarm provider`: where agents run, and where they shall."""

import json
import os
import sys
from typing import Annotated, Any

import typer

from swarm_api.config import BadConfig, config_file
from swarm_api.errors import HubUnreachable, SwarmError
from swarm_cli.configured import setting
from swarm_cli.options import AsJson, Url
from swarm_cli.reading import Hub, connect, show_json
from swarm_cli.screen import Screen, safe, write
from swarm_cli.setup import Provider
from swarm_cli.setup_changes import Changes, make, warn
from swarm_cli.setup_summary import tell_remarks


def provider(
    name: Annotated[Provider | None, typer.Argument(metavar="NAME", help="local, fly, azure or slurm.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Where agents run; with a NAME, where those of a hub that is started from here shall run."""
    if name is not None:
        return _set(name, url)
    if as_json:
        return show_json(connect(url, os.environ).get("provider"))
    screen = Screen.of(sys.stdout, os.environ)
    configured = setting("executorType", os.environ)
    origin = configured.variable or configured.origin
    try:
        hub = connect(url, os.environ)
        _show(hub, hub.get("provider"), screen)
    finally:
        write(f"configured: {configured.value} ({origin})")
    return None


def _show(hub: Hub, found: dict[str, Any], screen: Screen) -> None:
    sign, style = ("●", "green") if found["healthy"] else ("✗", "red")
    simulated = ", simulated" if found["simulated"] else ""
    name = screen.paint("bold", safe(str(found["type"])))
    write(f"{screen.paint(style, sign)} {name}{simulated} at {hub.url}, up to {found['capacity']} agents")
    if found["detail"]:
        write(f"  {safe(str(found['detail']))}")


def _set(name: str, url: str | None) -> None:
    make(Changes({"executorType": name}, {}), os.environ)
    write(f"{name}, in {safe(str(config_file(os.environ)))}")
    tell_remarks({"executorType": name})
    if variable := setting("executorType", os.environ).variable:
        warn(f"{variable} is set here, and wins")
    _tell_hub(name, url)


def _tell_hub(name: str, url: str | None) -> None:
    """Ask the hub to start new agents there, and say what becomes of it."""
    try:
        connect(url, os.environ).call("PUT", "/api/provider", json.dumps({"type": name}).encode())
    except HubUnreachable:
        return  # the next one takes it from the config
    except (SwarmError, BadConfig) as error:
        warn(f"the hub that runs stays with what it has: {error}")
