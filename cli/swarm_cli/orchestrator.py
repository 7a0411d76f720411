"""`swarm orchestrator`: the hub on this machine."""

import json
import os
import sys
from typing import Annotated, Any

import typer

from swarm_api.config import Running, data_folder
from swarm_api.errors import SwarmError
from swarm_cli import local_hub, look
from swarm_cli.faults import FAILED, Fault
from swarm_cli.options import group
from swarm_cli.reading import Hub
from swarm_cli.screen import Screen, safe, safe_json, write

orchestrator = group("orchestrator", help="The hub on this machine: start it, stop it, ask how it is.")


@orchestrator.command()
def start(
    background: Annotated[bool, typer.Option("--background", "-b", help="Return once it accepts; it goes on.")] = False,
) -> None:
    """Start the hub. Its settings are environment variables; without --background it ends with ctrl-C."""
    if running := local_hub.find(os.environ):
        raise Fault(f"the hub runs already, at {running.url} (pid {running.pid})", hint="swarm orchestrator stop")
    if gone := local_hub.stale(os.environ):
        write(f"the last hub (pid {gone.pid}) ended without a word; its tasks go on with this one", sys.stderr)
    settings = local_hub.hub_environment(os.environ)
    if local_hub.needs_key(settings):
        write("no Anthropic API key is set or stored: agents will have none (swarm setup stores one)", sys.stderr)
    if not background:
        path = local_hub.program()
        os.execve(path, [str(path)], settings)  # noqa: S606  # that very program, no shell
    running = local_hub.start(settings, _show)
    screen = Screen.of(sys.stdout, os.environ)
    if not screen.terminal:
        return write(running.url)
    write(f"{screen.paint('green', '✓')} the hub runs at {screen.paint('bold', running.url)} (pid {running.pid})")
    write(screen.paint("dim", f"  its log: {data_folder(os.environ) / 'hub.log'}"))
    return None


def _show(line: str) -> None:
    """What the hub says to its user alone. In a pipe stdout is for the hub's address."""
    write(safe(line), sys.stdout if sys.stdout.isatty() else sys.stderr)


@orchestrator.command()
def stop() -> None:
    """Stop the hub. Agents that work go on, and report when it is back."""
    running = local_hub.find(os.environ)
    if running is None:
        return write("the hub does not run")
    agents = _agents(running)
    local_hub.stop(running)
    write("the hub has stopped")
    if agents:
        write(f"still at work: {look.plural(len(agents), 'agent')}; what they do is reported when the hub is back")
    return None


@orchestrator.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, nothing else.")] = False,
) -> None:
    """Whether the hub runs, and where. Exits with 1 when it does not."""
    running = local_hub.find(os.environ)
    screen = Screen.of(sys.stdout, os.environ)
    if as_json:
        write(safe_json(json.dumps(_facts(running), indent=2)))
    elif running is None:
        write(f"{screen.paint('dim', '○')} the hub does not run; start it: swarm orchestrator start --background")
    else:
        agents = look.plural(len(_agents(running)), "agent")
        write(f"{screen.paint('green', '●')} the hub runs at {screen.paint('bold', running.url)}")
        write(f"  version {running.version}, pid {running.pid}, {agents} at work")
        write(screen.paint("dim", f"  data in {data_folder(os.environ)}"))
    if running is None:
        raise typer.Exit(FAILED)


def _facts(running: Running | None) -> dict[str, Any]:
    if running is None:
        return {"running": False}
    known = {"url": running.url, "pid": running.pid, "version": running.version}
    return {"running": True, **known, "agents": len(_agents(running)), "dataDir": str(data_folder(os.environ))}


def _agents(running: Running) -> list[Any]:
    try:
        agents: list[Any] = Hub.running(running, os.environ).get("agents", active="true")["agents"]
    except SwarmError:
        return []
    return agents
