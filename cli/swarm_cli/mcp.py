"""`swarm mcp`: the MCP server over stdio, which is a program of its own."""

import os
import sys
from pathlib import Path

from swarm_cli.faults import Fault
from swarm_cli.options import Url


def mcp(url: Url = None) -> None:
    """The swarm's tools over stdio, for Claude Code and other MCP hosts: claude mcp add swarm -- swarm mcp

    It sees what this machine's credentials may see, and takes the folder it is started in for its repository.
    """
    program = Path(sys.executable).with_name("swarm-mcp")
    if not program.exists():
        raise Fault("the MCP server is not installed here", hint="pip install 'claude-swarm[mcp]'")
    os.execv(program, [str(program), *(["--url", url] if url else [])])  # noqa: S606  # nosec B606  # no shell is wanted
