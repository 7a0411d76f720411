"""How a conversation with Claude Code begins: anew, or where the last attempt at the task left it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ResultError
from claude_agent_sdk.types import SessionStore

from swarm_api.worker import Resume, WorkOrder
from swarm_worker.runtimes import Place
from swarm_worker.runtimes.claude_options import options
from swarm_worker.runtimes.claude_session import HubSession


@dataclass(frozen=True)
class Opening:
    """`note` says why a session that should have gone on did not."""

    client: ClaudeSDKClient
    prompt: str
    note: str | None = None


async def open_conversation(
    order: WorkOrder, place: Place, stderr: Callable[[str], None], store: HubSession | None = None
) -> Opening:
    """Start the CLI, ready for the prompt, its session kept in `store` as well. Raises `ClaudeSDKError`."""
    if order.resume is None:
        return Opening(await _start(order, place, stderr, store), order.prompt)
    if order.resume.session_id is None:
        return Opening(await _start(order, place, stderr, store), _after_loss(order.prompt, order.resume))
    try:
        client = await _start(order, place, stderr, store, order.resume.session_id)
    except ResultError as refusal:
        note = f"The session of the last attempt is lost, so a new one begins: {refusal}"
        return Opening(await _start(order, place, stderr, store), _after_loss(order.prompt, order.resume), note)
    return Opening(client, _after_pause(order.prompt, order.resume))


async def _start(
    order: WorkOrder, place: Place, stderr: Callable[[str], None], store: HubSession | None,
    session_id: str | None = None,
) -> ClaudeSDKClient:  # fmt: skip
    client = ClaudeSDKClient(_kept(options(order, place, stderr, session_id), store))
    await client.connect()
    return client


def _kept(options: ClaudeAgentOptions, store: HubSession | None) -> ClaudeAgentOptions:
    """With each line of the session in the store as soon as it is written: the machine may be gone at any moment."""
    return replace(options, session_store=cast("SessionStore | None", store), session_store_flush="eager")


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
