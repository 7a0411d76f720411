"""What a task costs, in words. Works on the API's JSON, without models."""

from collections.abc import Iterator, Mapping
from typing import Any

from swarm_cli import look

Json = Mapping[str, Any]

# The least exact first: one such part makes the whole no better.
_BASES = {"reported": "as its worker reports it", "estimated": "metered, a part estimated", "metered": "metered"}


def facts(task: Json) -> Iterator[tuple[str, str]]:
    """What the model cost, of which budget and how that is known; and the machine, where it has a price."""
    spent, budget = task["costMicroUsd"], task.get("budgetCents")
    of = f" of {look.dollars(budget)}" if budget else ""
    if spent:
        basis = _basis(task)
        yield "Cost", f"{look.money(spent)}{of}{f', {basis}' if basis else ''}"
    elif budget:
        yield "Budget", look.dollars(budget)
    if machine := task.get("computeMicroUsd"):
        yield "Machine", look.money(machine)


def _basis(task: Json) -> str:
    found = {used.get("costBasis") for used in task["usage"]["byModel"].values()}
    return next((words for basis, words in _BASES.items() if basis in found), "")


def more_money(task: Json) -> str:
    """What goes behind `swarm retry ID` for a task that its budget ended: twice as much, for a start."""
    budget = max(task.get("budgetCents") or 0, task["costCents"])
    if (task.get("result") or {}).get("status") != "budget" or not budget:
        return ""
    whole, rest = divmod(2 * budget, 100)
    return f" --budget {whole}.{rest:02}" if rest else f" --budget {whole}"
