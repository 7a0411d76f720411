"""The session of Claude Code as the hub keeps it, so that an attempt on another machine goes on with it."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from claude_agent_sdk.types import SessionKey, SessionStoreEntry

from swarm_api.worker import Report, SessionReport


class HubSession:
    """A `SessionStore` of the SDK's: what the CLI writes goes to the hub as reports, what it wrote came with the order.

    The conversation itself alone: what subagents said among themselves is not gone on with.
    """

    def __init__(self, kept: Sequence[dict[str, Any]], put: Callable[[Report], None]) -> None:
        self._kept = list(kept)
        self._put = put

    async def append(self, key: SessionKey, entries: list[SessionStoreEntry]) -> None:
        if not key.get("subpath"):
            told = [cast(dict[str, Any], entry) for entry in entries]
            self._put(SessionReport(session_id=key["session_id"], entries=told))

    async def load(self, key: SessionKey) -> list[SessionStoreEntry] | None:
        kept = [] if key.get("subpath") else self._kept
        return [cast(SessionStoreEntry, entry) for entry in kept] or None
