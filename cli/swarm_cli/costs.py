"""What a task costs, in words. Works on the API's JSON, without models."""

from collections.abc import Iterator, Mapping
from typing import Any

from swarm_cli import look
from swarm_cli.dollars import MOST

Json = Mapping[str, Any]
_LEAST = 50  # cents that are worth a start

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


def out_of_money(task: Json) -> str:
    """How a task stands that its budget ended."""
    budget = task.get("budgetCents")
    return f"out of money {look.money(task['costMicroUsd'])}{f' of {look.dollars(budget)}' if budget else ''}"


def more_money(task: Json) -> str:
    """What goes behind `swarm retry ID` for a task that its budget ended."""
    ended = (task.get("result") or {}).get("status") == "budget"
    return f" --budget {enough(task)}" if ended else ""


def enough(task: Json) -> int:
    """Dollars that a task may well go on with: what it has spent, and as much again as it was to cost."""
    cents: int = task["costCents"] + max(task.get("budgetCents") or 0, _LEAST)
    return -(-min(cents, MOST) // 100)
