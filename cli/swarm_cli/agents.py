"""`swarm agents`: who works, on what, since when."""

import os
import sys
from typing import Annotated, Any

import typer

from swarm_api.ids import short
from swarm_cli import look
from swarm_cli.options import AsJson, Url
from swarm_cli.reading import connect, show_json
from swarm_cli.screen import Screen, safe, write
from swarm_cli.table import Cell, Column, lines, tabbed
from swarm_cli.usage_limit import show_limit

_COLUMNS = (
    Column("AGENT", share=2), Column("STATUS"), Column("TASK"), Column("DOES", share=1), Column("TURNS", right=True),
    Column("TOKENS", right=True), Column("COST", right=True), Column("MEMORY", right=True), Column("TIME", right=True),
)  # fmt: skip


def agents(
    everyone: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Who works, on what, since when."""
    screen = Screen.of(sys.stdout, os.environ)
    hub = connect(url, os.environ)
    answer = hub.get("agents", active=None if everyone else "true")
    if as_json:
        return show_json(answer)
    if not screen.terminal:
        shown = tabbed(_values(agent) for agent in answer["agents"])
    else:
        shown = lines(_COLUMNS, [_row(agent) for agent in answer["agents"]], screen)
    for line in shown:
        write(line)
    if screen.terminal and not answer["agents"]:
        write("Nobody works." if not everyone else "No agents yet.")
    if screen.terminal:
        show_limit(hub, screen)
    return None


def _row(agent: Any) -> tuple[Cell, ...]:
    mark, style = look.mark(agent["status"])
    progress, tokens = agent["progress"], agent["tokensUsed"]
    return (
        Cell(safe(agent["id"]), "bold"),
        Cell(mark, style),
        Cell(short(agent["currentTask"] or "")),
        Cell(safe(progress["lastTool"] or ""), "dim"),
        Cell(str(progress["turns"])),
        Cell(look.count(sum(tokens.values()))),
        Cell(look.money(agent["costMicroUsd"])),
        Cell(f"{agent['resources']['rssMb']:.0f} MB"),
        Cell(look.duration(look.seconds_between(agent["startedAt"], agent["finishedAt"]))),
    )


def _values(agent: Any) -> tuple[str, ...]:
    return (agent["id"], agent["status"], agent["currentTask"] or "", agent["provider"], agent["startedAt"])
