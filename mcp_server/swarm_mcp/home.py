"""What differs between the server inside a hub and the one on a person's machine."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


def _as_given(repo: str | None) -> str | None:
    return repo


@dataclass(frozen=True)
class Home:
    """`locate`: what a `repo` as the model gave it means here; raises `SwarmError`. `stopping`: who waits is let go.

    `seal` makes the id of an MCP task from a swarm task's, for the caller of this moment; `unseal` gives it back, or
    None for one that was not made for that caller.
    """

    locate: Callable[[str | None], str | None] = _as_given
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    seal: Callable[[str], str] = str
    unseal: Callable[[str], str | None] = str
