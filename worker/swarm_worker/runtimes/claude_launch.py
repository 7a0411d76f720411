"""Becomes Claude Code in exactly the environment it was given: `python -I -S claude_launch.py COMMAND…`.

The SDK hands the whole environment of its own process on. Of that only the names in `SWARM_KEEP` go through, and
the API key not at all: the CLI reads it from a descriptor, so that no tool, hook or MCP server it starts inherits it.
"""

import os
import sys

KEEP = "SWARM_KEEP"
KEY = "ANTHROPIC_API_KEY"
KEY_FD = "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR"


def main(command: list[str]) -> None:
    keep = os.environ[KEEP].split()
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    if key := environment.pop(KEY, None):
        environment[KEY_FD] = str(_readable(key))
    os.execve(command[0], command, environment)  # noqa: S606  # becoming the command is the purpose


def _readable(key: str) -> int:
    """A descriptor that holds the key once. A socket, because the CLI reads and closes only a socket at once."""
    import socket

    ours, theirs = socket.socketpair()
    ours.sendall(key.encode() + b"\n")
    theirs.set_inheritable(True)
    return theirs.detach()


if __name__ == "__main__":
    main(sys.argv[1:])
