"""What answers of the model must cost, by figures written down here, and what each of the hub's books says they did."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import NamedTuple

from scripted_api import ScriptedApi, Seen, Turn, Usage
from swarm_api.client import HubClient
from swarm_api.tasks import Task
from waiting import until

Answer = tuple[str, Usage]
"""A model, and what its API says that it used."""

# Thousandths of a dollar per million tokens, which are micro-dollars per thousand tokens.
FIGURES = {
    "claude-opus-5-5": Usage(4_000, 20_000, cache_read=200, cache_write_5m=5_000, cache_write_1h=8_000),
    "claude-sonnet-5-5": Usage(2_000, 10_000, cache_read=100, cache_write_5m=2_500, cache_write_1h=4_000),
    "claude-haiku-5-5": Usage(100, 500, cache_read=10, cache_write_5m=125, cache_write_1h=200),
    "claude-haiku-4-5-20251001": Usage(1_000, 5_000, cache_read=100, cache_write_5m=1_250, cache_write_1h=2_000),
}
"""As Claude Code's own price list had them when it was measured; haiku-5-5 with prompts of no more than 100,000."""


class Call(NamedTuple):
    """A row of the book of calls. Amounts are micro-dollars."""

    model: str
    status: int | None
    ended: bool
    cost: int
    hold: int
    estimated: str | None


def price(model: str, used: Usage) -> int:
    """Micro-dollars of one answer, rounded half up."""
    thousandths: int = sum(count * figure for count, figure in zip(astuple(used), astuple(FIGURES[model]), strict=True))
    return (thousandths + 500) // 1_000


def bill(answers: Iterable[Answer]) -> int:
    return sum(price(model, used) for model, used in answers)


def cents(micro_usd: int) -> int:
    """Rounded half up."""
    return (micro_usd + 5_000) // 10_000


def answer_of(api: ScriptedApi, seen: Seen) -> Answer:
    """What the scripted API said, or would have said, to a request."""
    assert seen.key is not None
    planned = api.scripts[seen.key][seen.turn]
    turn = planned if isinstance(planned, Turn) else planned(seen.request)
    return seen.request.body["model"], turn.usage


def answered(api: ScriptedApi) -> list[Answer]:
    """All that it said in full."""
    return [answer_of(api, seen) for seen in api.seen if seen.outcome == "answered"]


def calls(data: Path) -> list[Call]:
    """The book of calls in a hub's data folder, in the order of asking."""
    query = (
        "SELECT model, status, ended_ms IS NOT NULL, cost_micro_usd, hold_micro_usd, estimated"
        " FROM model_calls ORDER BY asked_ms, rowid"
    )
    with closing(sqlite3.connect(f"file:{data / 'hub.db'}?mode=ro", uri=True)) as book:
        return [Call(row[0], row[1], bool(row[2]), *row[3:]) for row in book.execute(query)]


async def until_settled(data: Path) -> None:
    """Until no call is open: the gateway notices a moment later than others that somebody is gone."""
    await until(lambda: all(call.ended for call in calls(data)))


async def books(client: HubClient, data: Path, tasks: Iterable[Task]) -> dict[str, int]:
    """What each book says was spent, in micro-dollars, where these tasks are all that the hub ever ran."""
    now = [await client.task(task.id) for task in tasks]
    budget = await client.budget()
    return {
        "tasks": sum(task.cost_micro_usd for task in now),
        "models": sum(spent.cost_micro_usd for task in now for spent in task.usage.by_model.values()),
        "agents": sum(agent.cost_micro_usd for agent in (await client.agents()).agents),
        "calls": sum(call.cost for call in calls(data)),
        "day": budget.daily.spent_micro_usd,
        "week": budget.weekly.spent_micro_usd,
    }


def all_say(micro_usd: int) -> dict[str, int]:
    """The books, when all agree."""
    return dict.fromkeys(("tasks", "models", "agents", "calls", "day", "week"), micro_usd)
