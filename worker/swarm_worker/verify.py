"""Whether the work holds: the task's own command decides."""

from swarm_api.worker import LogReport
from swarm_worker.outbox import Outbox
from swarm_worker.runtimes import Place
from swarm_worker.shell import Output, run_shell


class VerifyFailed(Exception):
    """The command did not exit with 0."""


async def verify(command: str, place: Place, outbox: Outbox) -> None:
    """Run the command in the worktree; its output goes to the log. Raises `VerifyFailed`."""
    last = ""

    async def hear(stream: Output, line: str) -> None:
        nonlocal last
        last = line.strip() or last
        outbox.put(LogReport(stream=stream, text=line))
        await outbox.room()

    outbox.say(f"verify: {command}")
    if code := await run_shell(command, place, hear):
        how = f"exited with {code}" if code > 0 else f"was ended by signal {-code}"
        raise VerifyFailed(f"`{command}` {how}" + (f"; its last words: {last}" if last else ""))
    outbox.say("verify: passed")
