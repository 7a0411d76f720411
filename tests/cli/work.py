"""Tasks for the tests: what the agent does is a script."""

import json
from typing import Any

from cli.program import Swarm


def script(*steps: dict[str, Any]) -> str:
    """A prompt for the scripted runtime."""
    return json.dumps(list(steps))


def ended(swarm: Swarm, *steps: dict[str, Any], flags: tuple[str, ...] = ()) -> str:
    """The id of a task whose agent has done the steps and ended."""
    run = swarm("submit", "-p", script(*steps), "--wait", "--json", *flags)
    return str(json.loads(run.stdout)["id"])
