"""What was set up, as told to those who did it; and what to do next."""

import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from swarm_api.addresses import is_loopback
from swarm_api.config import config_file
from swarm_cli import local_hub
from swarm_cli.configured import remark, setting
from swarm_cli.screen import Screen, safe, write
from swarm_cli.setup_changes import Changes, Made, warn

_NAME = 26


def tell_made(changes: Changes, made: Made, environ: Mapping[str, str]) -> None:
    """A line for each setting and secret that was changed; never a secret itself."""
    screen = Screen.of(sys.stdout, environ)
    if not changes.settings and not changes.secrets:
        write("nothing to change")
    elif screen.terminal:
        write(f"\n{screen.paint('green', '✓')} saved in {safe(str(config_file(environ).parent))}")
    for name, value in changes.settings.items():
        write(f"  {name:<{_NAME}}{'removed' if value is None else safe(str(value))}")
    for name, secret in changes.secrets.items():
        write(f"  {name:<{_NAME}}{'removed' if secret is None else 'in the ' + made.stored[name]}")
    tell_forgotten(made)


def tell_remarks(settings: Mapping[str, Any]) -> None:
    """What somebody who set these should know, each thing once."""
    for said in dict.fromkeys(remark(name, value) for name, value in settings.items() if value is not None):
        if said:
            warn(said)


def tell_forgotten(made: Made) -> None:
    if made.forgotten:
        warn(f"this is another hub: {' and '.join(made.forgotten)} of the one before forgotten; swarm login")


def tell_next(changes: Changes, environ: Mapping[str, str]) -> None:
    """The next command."""
    screen = Screen.of(sys.stdout, environ)
    for command, why in _next(changes, environ):
        write(f"{screen.paint('dim', 'next:')} {screen.paint('bold', command)}" + (f"   {why}" if why else ""))


def _next(changes: Changes, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    url = str(setting("orchestratorUrl", environ).value)
    check = ("swarm setup --check", "calls all of it")
    if not is_loopback(urlsplit(url).hostname):
        return [("swarm login", ""), check]
    if setting("executorType", environ).value != "local":
        return [("swarm orchestrator start --background", "with its PUBLIC_URL set"), check]
    if local_hub.find(environ) is None:
        return [("swarm orchestrator start --background", ""), check]
    if local_hub.GIVEN & {*changes.settings, *changes.secrets}:
        return [("swarm orchestrator stop && swarm orchestrator start --background", ""), check]
    return [check]
