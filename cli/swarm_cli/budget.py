"""`swarm budget`: what is spent and what is left; and the limits."""

import json
import os
import sys
from typing import Annotated, Any

import typer

from swarm_cli.budget_limits import closed, merged, parsed
from swarm_cli.budget_page import page, values
from swarm_cli.dollars import optional_cents
from swarm_cli.faults import wrong_usage
from swarm_cli.options import AsJson, Url, group
from swarm_cli.reading import Hub, connect, show_json
from swarm_cli.screen import Screen, write
from swarm_cli.setup_changes import warn
from swarm_cli.table import tabbed
from swarm_cli.usage_limit import show_limit

budget = group("budget")


@budget.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: AsJson = False, url: Url = None) -> None:
    """What is spent, set aside and left of each limit. `swarm budget set` changes them."""
    if context.invoked_subcommand is None:
        hub = connect(url, os.environ)
        return _show(hub, hub.get("budget"), as_json)
    if as_json:
        raise wrong_usage("--json goes behind `set`", hint="swarm budget set … --json")
    if url is not None:
        os.environ["SWARM_URL"] = url  # what `set` asks next, after an `--url` of its own
    return None


@budget.command("set")
def set_(
    daily: Annotated[str | None, typer.Option(metavar="DOLLARS", help="For a day, as in 12.50.")] = None,
    weekly: Annotated[str | None, typer.Option(metavar="DOLLARS", help="For a week, from Monday.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="K=V=DOLLARS", help="For tasks with a label, a day, or /week; may repeat. Those not named stay."
        ),
    ] = None,
    no_labels: Annotated[bool, typer.Option("--no-labels", help="No limits for labels but those given here.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Change limits, from now on. Those that are not named stay, labels too. Takes a key with the scope admin."""
    amounts = {"dailyCents": optional_cents(daily, "--daily"), "weeklyCents": optional_cents(weekly, "--weekly")}
    wish: dict[str, Any] = {field: amount for field, amount in amounts.items() if amount is not None}
    limits = parsed(label or ())
    if not (wish or limits or no_labels):
        raise wrong_usage("say which limit", hint="swarm budget set --daily 50")
    hub = connect(url, os.environ)
    if limits or no_labels:
        wish["labels"] = merged([] if no_labels else hub.get("budget")["labels"], limits)
    answer = hub.call("PUT", "/api/budget", json.dumps(wish).encode())
    _show(hub, answer, as_json)
    for told in closed(wish, limits):
        warn(told)
    if answer["weekly"]["limitCents"] < answer["daily"]["limitCents"]:
        warn("the week's limit is below the day's: it is the one that counts")


def _show(hub: Hub, answer: Any, as_json: bool) -> None:
    if as_json:
        return show_json(answer)
    screen = Screen.of(sys.stdout, os.environ)
    for line in page(answer, screen) if screen.terminal else tabbed(values(answer)):
        write(line)
    if screen.terminal:
        show_limit(hub, screen)
    return None
