"""The hub's refusals as a model can use them: what was wrong, and what to do now."""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec

from mcp.server.mcpserver.exceptions import ToolError

from swarm_api.errors import SwarmError

P = ParamSpec("P")

_ADVICE = {
    "not_authenticated": "Run `swarm login`, or set SWARM_API_KEY for this server.",
    "forbidden": "The credential lacks a scope; `swarm keys create --scope …` makes one that has it.",
    "hub_unreachable": "Start it with `swarm orchestrator start`, or check the address with `swarm doctor`.",
    "not_found": "swarm_tasks() lists the ids; a unique prefix of one will do.",
    "ambiguous_id": "Give more of the id.",
    "task_finished": "swarm_tasks(task=…) shows how it ended.",
    "rate_limited": "Wait as long as it says.",
}


def told(error: SwarmError) -> str:
    """An error in one or two sentences."""
    advice = _ADVICE.get(error.code) or _ADVICE.get(type(error).code, "")
    text = error.detail if error.detail.endswith((".", "?", "!")) or not advice else f"{error.detail}."
    return f"{text} {advice}".strip()


def for_models(tool: Callable[P, Awaitable[str]]) -> Callable[P, Awaitable[str]]:
    """A tool whose `SwarmError` reaches the model as text: of other exceptions the SDK shows nothing."""

    @functools.wraps(tool)
    async def call(*args: P.args, **kwargs: P.kwargs) -> str:
        try:
            return await tool(*args, **kwargs)
        except SwarmError as error:
            raise ToolError(told(error)) from error

    return call
