"""How a conversation with Claude Code begins: anew, or where the last attempt at the task left it."""

from collections.abc import Callable
from dataclasses import dataclass

from claude_agent_sdk import ClaudeSDKClient, ResultError

from swarm_api.worker import Resume, WorkOrder
from swarm_worker.runtimes import Place
from swarm_worker.runtimes.claude_options import options


@dataclass(frozen=True)
class Opening:
    """`note` says why a session that should have gone on did not."""

    client: ClaudeSDKClient
    prompt: str
    note: str | None = None


async def open_conversation(order: WorkOrder, place: Place, stderr: Callable[[str], None]) -> Opening:
    """Start the CLI, ready for the prompt. Raises `ClaudeSDKError`."""
    if order.resume is None:
        return Opening(await _start(order, place, stderr), order.prompt)
    if order.resume.session_id is None:
        return Opening(await _start(order, place, stderr), _after_loss(order.prompt, order.resume))
    try:
        client = await _start(order, place, stderr, order.resume.session_id)
    except ResultError as refusal:
        note = f"The session of the last attempt is lost, so a new one begins: {refusal}"
        return Opening(await _start(order, place, stderr), _after_loss(order.prompt, order.resume), note)
    return Opening(client, _after_pause(order.prompt, order.resume))


async def _start(
    order: WorkOrder, place: Place, stderr: Callable[[str], None], session_id: str | None = None
) -> ClaudeSDKClient:
    client = ClaudeSDKClient(options(order, place, stderr, session_id))
    await client.connect()
    return client


def _after_pause(prompt: str, resume: Resume) -> str:
    return (
        f"You were stopped before this task was done.{_told(resume)} Your worktree is as you left it, but a command "
        f"that was running may have been cut off. Look at what is there, then finish the task. Here it is again:\n\n"
        f"{prompt}"
    )


def _after_loss(prompt: str, resume: Resume) -> str:
    return (
        f"An earlier attempt at this task ended before it was done.{_told(resume)} What it left is in your worktree "
        f"and on your branch: look at it first, and go on from there. The task:\n\n{prompt}"
    )


def _told(resume: Resume) -> str:
    return f" What is known of it: {resume.summary}" if resume.summary else ""
