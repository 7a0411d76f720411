"""Whether the work holds: the task's own command decides."""

from swarm_api.worker import LogReport
from swarm_worker.outbox import Outbox
from swarm_worker.runtimes import Place
from swarm_worker.shell import Output, run_shell

MOST = 4_000_000
"""Characters of output that go to the log: what prints without end would fill the hub's disk."""


class VerifyFailed(Exception):
    """The command did not exit with 0."""


async def verify(command: str, place: Place, outbox: Outbox) -> None:
    """Run the command in the worktree; its output goes to the log. Raises `VerifyFailed`."""
    last, heard, left_out = "", 0, 0

    async def hear(stream: Output, line: str) -> None:
        nonlocal last, heard, left_out
        last = line.strip() or last
        heard += len(line) + 1
        if heard > MOST:
            left_out += 1
            return
        outbox.put(LogReport(stream=stream, text=line))
        await outbox.room()

    outbox.say(f"verify: {command}")
    code = await run_shell(command, place, hear)
    if left_out:
        outbox.say(f"{left_out:,} more lines of it are left out")
    if code:
        how = f"exited with {code}" if code > 0 else f"was ended by signal {-code}"
        raise VerifyFailed(f"`{command}` {how}" + (f"; its last words: {last}" if last else ""))
    outbox.say("verify: passed")
