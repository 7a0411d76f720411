"""What the routes have at hand. Built once, in `app.py`."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from swarm_api.redaction import Redactor
from swarm_api.worker import Upstream
from swarm_hub.analytics.analytics import Analytics
from swarm_hub.budgets.budgets import Budgets
from swarm_hub.budgets.outlooks import Outlooks
from swarm_hub.counts import Counts
from swarm_hub.executors import Executors
from swarm_hub.gateway.gateway import Gateway
from swarm_hub.identity.grants import Grants
from swarm_hub.identity.identity import Identity
from swarm_hub.journal import Journal, Logs
from swarm_hub.mcp import Mcp
from swarm_hub.mirrors.mirrors import Mirrors
from swarm_hub.pull_requests import PullRequests
from swarm_hub.scheduler import Scheduler
from swarm_hub.settings import Settings
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices
from swarm_hub.watches import Watches


class Inboxes(Watches):
    """Wakes a worker's waiting call when there is control for it."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        store.listen(self._hear)

    def _hear(self, notices: Notices) -> None:
        for agent_id in notices.controls:
            self.wake(agent_id)


@dataclass(frozen=True)
class Hub:
    """`url`: where its workers reach it."""

    url: str
    settings: Settings
    redactor: Redactor
    store: Store
    journal: Journal
    logs: Logs
    executors: Executors
    scheduler: Scheduler
    identity: Identity
    gateway: Gateway
    budgets: Budgets
    outlooks: Outlooks
    grants: Grants
    inboxes: Inboxes
    analytics: Analytics
    counts: Counts
    mcp: Mcp
    mirrors: Mirrors
    pull_requests: PullRequests
    closing: asyncio.Event
    local_ended: asyncio.Event  # the token of this machine's user was revoked: time for another
    description: Callable[[], Mapping[str, Any]]  # the OpenAPI document; half a second of work at the first call

    def upstream_of(self, agent_id: str) -> Upstream:
        """How an agent reaches the model: by the gateway with a token of its own, or as the settings say."""
        settings, identity = self.settings, self.identity
        if settings.anthropic_key_mode == "inject":
            return Upstream(base_url=settings.anthropic_base_url, api_key=settings.anthropic_api_key)
        token = identity.agents.issue("model", agent_id, identity.clock())
        return Upstream(base_url=f"{self.reached_from(agent_id)}/anthropic", api_key=token)

    def reached_from(self, agent_id: str) -> str:
        """Where the agent's machine finds the hub."""
        here = agent_id.startswith("local-")
        return self.url if here else self.settings.public_url or self.url

    def end_tokens(self, jtis: Iterable[str]) -> None:
        """These tokens are worth nothing from now on, whatever was opened with them."""
        ended, of_this_run = set(jtis), self.identity.book.of_this_run
        self.identity.book.revoked.update(ended)
        if ended & of_this_run.keys():
            self.local_ended.set()
        self.nudge()

    def end_key(self, key_id: str) -> None:
        self.identity.book.revoke_key(key_id, self.store.now_ms())
        self.nudge()

    def nudge(self) -> None:
        """Wake all who wait for something: they look around, say they are there, and go on."""
        self.journal.nudge()
        self.logs.nudge()

    def close(self) -> None:
        """Let go of those who follow: they resume at the next hub."""
        self.closing.set()
        self.nudge()
        self.inboxes.wake_all()
