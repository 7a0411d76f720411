"""The server over stdio: started by an MCP host in the folder somebody works in, with this user's credentials."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from swarm_api.access import access, may_be_insecure
from swarm_api.client import HubClient
from swarm_api.config import BadConfig, hub_url
from swarm_api.errors import SwarmError
from swarm_mcp.home import Home
from swarm_mcp.server import build
from swarm_mcp.session_repo import SessionRepo


def main() -> None:
    """Serve until the host closes the pipe. Exit code 2 for a configuration that cannot be used."""
    parser = argparse.ArgumentParser(prog="swarm mcp", description="The swarm's tools over stdio, for MCP hosts.")
    parser.add_argument("--url", help="the hub's address")
    try:
        asyncio.run(_serve(parser.parse_args().url))
    except (BadConfig, SwarmError) as error:
        print(f"swarm mcp: {error}", file=sys.stderr)  # noqa: T201  # a host shows it
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


async def _serve(given: str | None) -> None:
    """Raises `BadConfig`, and `NotAuthenticated` for a variable that holds no credential."""
    url = hub_url(given, os.environ)
    hub = HubClient(url, access(url, os.environ), insecure=may_be_insecure(os.environ))
    async with hub:
        await build(hub, Home(locate=SessionRepo(url, Path.cwd()))).run_stdio_async()
