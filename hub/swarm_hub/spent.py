"""What agents and tasks have used: tokens and cost, by model, kept in their rows."""

from typing import Any

from pydantic_core import from_json

from swarm_api.tasks import ModelUsage, Usage
from swarm_api.words import CostBasis
from swarm_api.worker import UsageReport

MOST = 2**53  # micro-dollars; a sum that no database keeps would refuse the report for ever
MODELS = 50  # that are told apart: whoever calls may name as many as it likes
LONGEST_NAME = 200
OTHERS = "others"
TOKENS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


SURE: tuple[CostBasis, ...] = ("metered", "estimated", "reported")
"""How a cost is known, from the surest on: counted at the gateway, partly guessed there, told by the runtime."""


def added(row: Any, changed: dict[str, Any], report: UsageReport, basis: CostBasis) -> dict[str, Any]:
    """The usage and cost columns of a row with one report added."""
    text = changed.get("usage", row.usage)
    usage = Usage.model_validate(from_json(text)) if text else Usage()
    tokens = {name: getattr(report, name) for name in TOKENS}
    model = _model(usage, report.model)
    of_model = usage.by_model.get(model, ModelUsage())
    more = {name: getattr(of_model, name) + count for name, count in tokens.items()}
    cost_of_model = of_model.cost_micro_usd + report.cost_micro_usd
    known = max((of_model.cost_basis or basis, basis), key=SURE.index)
    total = {name: getattr(usage, name) + count for name, count in tokens.items()}
    usage = Usage(
        **total,
        by_model={**usage.by_model, model: ModelUsage(**more, cost_micro_usd=cost_of_model, cost_basis=known)},
    )
    cost = changed.get("cost_micro_usd", row.cost_micro_usd) + report.cost_micro_usd
    return {"usage": usage.to_json().decode(), "cost_micro_usd": min(cost, MOST)}


def _model(usage: Usage, named: str) -> str:
    """What a model is counted as."""
    name = named[:LONGEST_NAME]
    return name if name in usage.by_model or len(usage.by_model) < MODELS else OTHERS
