"""Agents, the queue and the provider: what runs, what waits, and where."""

from typing import Any, Literal

from swarm_api.base import Answer, Model, Timestamp
from swarm_api.tasks import Blocked
from swarm_api.words import AgentStatus, ExecutorName, Tier


class TokensUsed(Answer):
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


class Progress(Answer):
    turns: int = 0
    last_tool: str | None = None
    files_changed: int = 0


class Resources(Answer):
    """Of the agent's whole process tree, at its last report."""

    cpu_percent: float = 0.0
    rss_mb: float = 0.0


class Agent(Answer):
    """One attempt at a task, on one executor. `started_at` is the time of the claim.

    `reserved_micro_usd`: what is set aside for it and not spent yet. `compute_…`: what its machine has cost so far,
    beside what the model cost.
    """

    id: str
    status: AgentStatus
    current_task: str | None
    provider: str
    region: str | None
    tier: Tier
    started_at: Timestamp
    finished_at: Timestamp | None = None
    last_heartbeat_at: Timestamp | None = None
    tokens_used: TokensUsed = TokensUsed()
    cost_cents: int = 0
    cost_micro_usd: int = 0
    reserved_micro_usd: int = 0
    compute_cents: int = 0
    compute_micro_usd: int = 0
    progress: Progress = Progress()
    resources: Resources = Resources()


class AgentList(Answer):
    agents: list[Agent]
    seq: int


class BlockedTask(Answer):
    task_id: str
    blocked_by: list[Blocked]


class Executed(Answer):
    started: list[Agent]
    blocked: list[BlockedTask]


class Queue(Answer):
    pending: int
    ready: int
    blocked: dict[str, int]
    running: int
    capacity: int
    by_priority: dict[str, int]
    oldest_ready_seconds: int
    seq: int


class TierOut(Answer):
    cpus: int
    memory_mb: int


class Provider(Answer):
    type: str
    region: str | None
    simulated: bool
    healthy: bool
    detail: str
    capacity: int
    tiers: dict[str, TierOut]
    pricing: dict[str, Any]


class ProviderIn(Model):
    """Where new agents are to run."""

    type: ExecutorName


class Health(Answer):
    status: Literal["ok", "degraded"]
    version: str
    checks: dict[str, str]
