"""The closed vocabularies of the contract, apart from the models so that they cost nothing to import."""

from typing import Literal, get_args

TaskType = Literal["code", "review", "docs", "test", "security", "research"]
Priority = Literal["high", "normal", "low"]
Tier = Literal["light", "standard", "heavy"]
Deliver = Literal["branch", "pull_request", "patch"]
RepoSettings = Literal["none", "project"]
TaskStatus = Literal["pending", "running", "completed", "failed", "cancelled"]
ResultStatus = Literal["success", "failure", "cancelled", "timeout", "budget"]
BlockReason = Literal["dependency", "budget", "capacity", "hold", "usage_limit", "conflict"]
FINISHED: frozenset[TaskStatus] = frozenset({"completed", "failed", "cancelled"})

AgentStatus = Literal["starting", "running", "stopping", "finished", "lost"]
LIVE: frozenset[AgentStatus] = frozenset({"starting", "running", "stopping"})
ExecutorName = Literal["local", "fly", "azure", "slurm"]
EXECUTORS: tuple[ExecutorName, ...] = get_args(ExecutorName)
Runtime = Literal["claude", "simulated", "scripted"]

EventType = Literal[
    "task_created", "task_started", "task_completed", "task_failed", "task_cancelled", "task_retried", "task_blocked",
    "agent_spawned", "agent_completed", "agent_lost", "agent_message",
    "conflict_detected", "conflict_resolved", "approval_requested", "approval_resolved",
    "budget_warning", "budget_exceeded", "usage_limit",
]  # fmt: skip
EVENT_TYPES: frozenset[EventType] = frozenset(get_args(EventType))
CostBasis = Literal["metered", "estimated", "reported"]
Stream = Literal["agent", "tool", "stdout", "stderr", "system"]

Scope = Literal["tasks:read", "tasks:write", "agents:read", "metrics:read", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a credential may open. `admin` opens everything."""


def camel(name: str) -> str:
    """`cache_write_5m` is `cacheWrite5m` on the wire."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
