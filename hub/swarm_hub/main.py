"""`swarm-hub`: the program. It makes itself unreadable first, and only then becomes the hub."""

import sys

from swarm_api.sealing import seal


def main() -> int:
    """The exit code; `process.run` says which there are."""
    seal()
    # Late, because it takes half a second: for so long an agent that another hub left could read our environment.
    from swarm_hub.process import run

    return run(sys.argv[1:])
