"""`swarm-worker`: the process that carries one agent. An executor starts it; everything else the hub tells it.

What is imported here decides how soon a task runs: the rest of the worker is imported when the claim has been answered.
"""

import os
import signal
import sys
from typing import Any, NoReturn

from swarm_api.wire import Wire
from swarm_worker.claim import NotOurs, Stopped, claim
from swarm_worker.launch import BadLaunch, Launch, read_launch, take_lock
from swarm_worker.seal import seal

USAGE, NOT_OURS = 2, 3
CLAIM_TIMEOUT = 10.0


def main() -> int:
    """The exit code. Does not return once there is work."""
    stops: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stops.append(number))
    take_lock(os.environ)
    seal()
    try:
        launch = read_launch(os.environ)
    except BadLaunch as error:
        sys.stderr.write(f"swarm-worker: {error}\n")
        return USAGE
    # The hub that started it named its own address: where that is no https, its operator wants it so.
    wire = Wire(launch.hub_url, launch.token, CLAIM_TIMEOUT, insecure=True)
    try:
        order = claim(wire, launch.agent_id, lambda: bool(stops))
    except NotOurs as refusal:
        sys.stderr.write(f"swarm-worker: {refusal}\n")
        return NOT_OURS
    except Stopped:
        return 0
    return _live(launch, wire, order, stops)


def _live(launch: Launch, wire: Wire, order: dict[str, Any], stops: list[int]) -> NoReturn:
    """Ends the process: threads may still wait for an answer that nobody needs any more."""
    import asyncio

    from swarm_api.redaction import Redactor
    from swarm_api.redaction_output import RedactedOutput
    from swarm_worker.life import Life

    redactor = Redactor([launch.token, order.get("upstream", {}).get("apiKey") or ""])
    # What ends up there can be read by more than the hub: it is a file on the machine, or the log of a cloud.
    sys.stderr = said = RedactedOutput(sys.stderr, redactor)

    async def live() -> int:
        life = Life(launch, wire, order, redactor)
        if stops:
            life.terminate()
        return await life.run()

    code = asyncio.new_event_loop().run_until_complete(live())
    said.finish()
    os._exit(code)
