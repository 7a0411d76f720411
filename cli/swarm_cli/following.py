"""The hub by its Python client, for commands that change something or follow a stream."""

import os
import sys

from swarm_api.access import access, may_be_insecure
from swarm_api.client import HubClient
from swarm_api.config import hub_url
from swarm_api.errors import SwarmError
from swarm_cli.screen import Screen, safe


def client(url: str | None) -> HubClient:
    """Use it with `async with`. Says on stderr when a stream is lost, and when it is back.

    Raises `BadConfig` and `NotAuthenticated`.
    """
    url = hub_url(url, os.environ)
    insecure = may_be_insecure(os.environ)
    return HubClient(url, access(url, os.environ), insecure=insecure, on_trouble=Trouble())


class Trouble:
    """Tells of a lost stream once, however often it is tried again."""

    def __init__(self) -> None:
        self._lost = False

    def __call__(self, error: SwarmError | None) -> None:
        if error is not None and not self._lost:
            self._say(f"lost the hub, trying again: {error.detail}")
        if error is None and self._lost:
            self._say("the hub is back")
        self._lost = error is not None

    @staticmethod
    def _say(text: str) -> None:
        screen = Screen.of(sys.stderr, os.environ)
        sys.stderr.write(screen.paint("yellow", safe(text)) + "\n")
