"""What spans say of tasks, agents and calls: numbers, and names of the hub's own. Never what somebody wrote.

Where OpenTelemetry has a name for it (https://opentelemetry.io/docs/specs/semconv/gen-ai/) it is that.
"""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

Attributes = dict[str, str | int | float | bool | list[str]]


def of_task(task: Any) -> Attributes:
    spec = from_json(task.spec)
    known: Attributes = {
        "swarm.task.type": task.type, "swarm.task.priority": task.priority, "swarm.task.tier": spec["tier"],
        "swarm.task.attempts": task.attempts, "gen_ai.request.model": task.model,
    }  # fmt: skip
    if task.repo is not None:
        known["swarm.repo"] = task.repo
    return known | {f"swarm.label.{key}": value for key, value in spec["labels"].items()}


def of_agent(agent: Any) -> Attributes:
    if agent is None:
        return {}
    known: Attributes = {
        "swarm.agent.attempt": agent.attempt, "swarm.agent.provider": agent.provider, "swarm.agent.tier": agent.tier,
        "swarm.agent.turns": agent.turns, "swarm.cost.micro_usd": agent.cost_micro_usd,
    }  # fmt: skip
    if agent.region is not None:
        known["swarm.agent.region"] = agent.region
    return known | _tokens(from_json(agent.usage)) if agent.usage else known


def of_call(call: Any) -> Attributes:
    known: Attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": call.model,
        "swarm.agent.id": call.agent_id, "swarm.call.id": call.id, "swarm.cost.micro_usd": call.cost_micro_usd,
        "swarm.cost.estimated": call.estimated is not None,
        **_tokens({
            "input": call.input, "output": call.output, "cacheRead": call.cache_read,
            "cacheWrite5m": call.cache_write_5m, "cacheWrite1h": call.cache_write_1h,
        }),
    }  # fmt: skip
    if call.status is not None:
        known["http.response.status_code"] = call.status
    if call.first_ms is not None:
        known["gen_ai.response.time_to_first_chunk"] = call.first_ms / 1000  # seconds
    if call.stop_reason is not None:
        known["gen_ai.response.finish_reasons"] = [call.stop_reason]
    if call.upstream_id is not None:
        known["swarm.call.upstream_id"] = call.upstream_id
    return known


def _tokens(used: Mapping[str, Any]) -> Attributes:
    """The conventions count what is read from a cache and written to it as input, too."""
    written = used.get("cacheWrite5m", 0) + used.get("cacheWrite1h", 0)
    read = used.get("cacheRead", 0)
    return {
        "gen_ai.usage.input_tokens": used.get("input", 0) + read + written,
        "gen_ai.usage.output_tokens": used.get("output", 0),
        "gen_ai.usage.cache_read.input_tokens": read,
        "gen_ai.usage.cache_creation.input_tokens": written,
    }
