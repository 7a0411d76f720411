"""`swarm analytics`: the tables that questions are asked of."""

import os

from swarm_cli.options import Url, group
from swarm_cli.reading import connect
from swarm_cli.screen import write

analytics = group("analytics")


@analytics.callback()
def _tables() -> None:
    """The tables behind `swarm query` and `swarm metrics`."""


@analytics.command()
def rebuild(url: Url = None) -> None:
    """Make them again from the hub's database. Takes a key with the scope admin."""
    connect(url, os.environ).call("POST", "/api/analytics/rebuild")
    write("They are made again; questions wait until they are there.")
