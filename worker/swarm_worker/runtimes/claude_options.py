"""How Claude Code is started: its options, its whole environment, and the program that stands before it."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import claude_agent_sdk
from claude_agent_sdk import ClaudeAgentOptions

from swarm_api.worker import WorkOrder
from swarm_worker.runtimes import Place, claude_launch

# The one that came with the SDK, never one that is found on a PATH: the two speak a protocol of their own.
CLI = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
MAX_MESSAGE = 256 * 1024 * 1024  # bytes; the SDK's own limit of 1 MiB ends the run when a tool prints more

FIXED = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",  # it calls nobody but the model
    "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",  # says when it has nothing left to do
    # Nobody is there to come back to: the end of a turn is the end of the work.
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_CRON": "1",
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
    # A stream that falls silent is given up and asked again; without this it would hang for ever.
    "CLAUDE_ENABLE_BYTE_WATCHDOG": "1",
    "CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": "180000",
}
# Set by the SDK for the CLI itself.
OF_THE_SDK = ("CLAUDE_CODE_ENTRYPOINT", "CLAUDE_AGENT_SDK_VERSION", "PWD")


def options(
    order: WorkOrder, place: Place, stderr: Callable[[str], None], resume: str | None = None
) -> ClaudeAgentOptions:
    environment = _environment(order, place)
    instructions = place.desk / "instructions.txt"
    instructions.write_bytes(_instructions(order).encode(errors="replace"))
    common: dict[str, Any] = {
        "cli_path": _program(place),
        "cwd": place.workdir,
        "env": {**environment, claude_launch.KEEP: " ".join([*environment, *OF_THE_SDK])},
        "system_prompt": {"type": "preset", "preset": "claude_code"},
        # By file: an argument is short of room, and anyone on the machine may read it.
        "extra_args": {"append-system-prompt-file": str(instructions)},
        "model": order.model,
        "max_turns": order.limits.max_turns,
        "max_budget_usd": _usd(order.limits.max_budget_micro_usd),
        "permission_mode": "bypassPermissions",
        "disallowed_tools": ["EnterWorktree", "ExitWorktree", "ScheduleWakeup"],
        "include_partial_messages": True,  # the only sign that an answer is complete, while its tools still run
        "max_buffer_size": MAX_MESSAGE,
        "stderr": stderr,
        "resume": resume,
    }
    return ClaudeAgentOptions(**common, **_repository(order, place))


def _usd(micro_usd: int | None) -> float | None:
    """In the CLI's own unit. It counts what this process spends, and takes only what is more than nothing."""
    return None if micro_usd is None else max(1, micro_usd) / 1_000_000


def _repository(order: WorkOrder, place: Place) -> Mapping[str, Any]:
    """What of the repository's own settings counts.

    Without the source `project` the CLI leaves out CLAUDE.md as well, but it reads the one of an added directory,
    with what that includes, and nothing else of it.
    """
    if order.repo_settings == "project":
        return {"setting_sources": ["project"]}
    return {"setting_sources": [], "strict_mcp_config": True, "add_dirs": [place.workdir]}


def _environment(order: WorkOrder, place: Place) -> dict[str, str]:
    """All that Claude and what it starts will see, and the API key, which `claude_launch` takes out."""
    environment = {
        **FIXED,
        **place.env,
        "HOME": str(place.home),
        "TMPDIR": str(place.tmp),
        "CLAUDE_CONFIG_DIR": str(place.home / ".claude"),
    }
    if order.upstream.base_url:
        environment["ANTHROPIC_BASE_URL"] = order.upstream.base_url
    if order.upstream.api_key:
        environment[claude_launch.KEY] = order.upstream.api_key
    if order.repo_settings == "none":
        environment["CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD"] = "1"
    if os.geteuid() == 0:
        environment["IS_SANDBOX"] = "1"  # otherwise it refuses root the permission mode that asks nobody
    return environment


def _program(place: Place) -> Path:
    """The SDK runs one file: a script that starts the CLI so that it dies with us and sees only its environment."""
    # The environment is made clean first: in a sandbox the agent can read that of whatever stands before the CLI.
    command = (sys.executable, "-I", "-S", claude_launch.__file__, *place.command(str(CLI)))
    program = place.desk / "claude"
    program.write_bytes(os.fsencode(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'))
    program.chmod(0o700)
    return program


def _instructions(order: WorkOrder) -> str:
    parts = [
        "You work alone on one task, among other agents with tasks of their own. Nobody reads along or answers "
        "questions: decide for yourself, and say at the end what you did and what is left open. "
        f"Your working directory is a git worktree of your own, on the branch {order.branch}: stay in it and on that "
        "branch. Commit your work; what you leave uncommitted is committed for you. Do not push, and do not switch, "
        "rename or delete branches. Folders may hold a CLAUDE.md of their own: read it before you work in them.",
    ]
    if order.verify:
        parts.append(f"When you are done this command is run, and must exit with 0:\n\n{order.verify}")
    if order.context:
        parts.append(f"Background for the task:\n\n{order.context}")
    return "\n\n".join(parts)
