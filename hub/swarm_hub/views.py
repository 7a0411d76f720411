"""Rows as the contract shows them."""

from typing import Any

from pydantic_core import from_json

from swarm_api.agents import Agent, Progress, Resources, TokensUsed
from swarm_api.base import CENT, cents, from_ms
from swarm_api.tasks import Blocked, Result, Task, Usage
from swarm_hub.budgets.outlook import Outlook

Row = Any  # a row of SQLAlchemy's, or a mapping given attributes by it


def task_view(row: Row, outlook: Outlook) -> Task:
    spec = from_json(row.spec)
    cost = row.cost_micro_usd
    return Task(
        **spec,
        prompt=row.prompt,
        id=row.id,
        status=row.status,
        created_at=from_ms(row.created_ms),
        started_at=row.started_ms and from_ms(row.started_ms),
        finished_at=row.finished_ms and from_ms(row.finished_ms),
        assigned_agent=row.agent_id,
        attempts=row.attempts,
        blocked_by=blocked_by(row, outlook),
        cost_cents=cents(cost),
        cost_micro_usd=cost,
        budget_cents=row.budget_micro_usd // CENT,
        compute_cents=cents(row.compute_micro_usd),
        compute_micro_usd=row.compute_micro_usd,
        usage=Usage.model_validate(from_json(row.usage)) if row.usage else Usage(),
        result=_result(row.result, cost) if row.result else None,
        seq=row.seq,
    )


def _result(text: str, cost: int) -> Result:
    """With what it costs now: a call to the model may be settled after the task has ended."""
    return Result.model_validate({**from_json(text), "costCents": cents(cost)})


def blocked_by(row: Row, outlook: Outlook) -> list[Blocked]:
    """Why a pending task does not start: nothing, when it is only waiting for its turn."""
    if row.status != "pending":
        return []
    if row.live:
        return [Blocked.model_validate_json(row.no_room)] if row.no_room else []
    return waits_for(row) or outlook.reasons(row)


def waits_for(row: Row) -> list[Blocked]:
    """What has to happen before a task could start, whatever room there is."""
    reasons = []
    if row.hold:
        reasons.append(Blocked(reason="hold", detail="it waits for `execute`"))
    if row.waiting_on:
        count = "a dependency has" if row.waiting_on == 1 else f"{row.waiting_on} dependencies have"
        reasons.append(Blocked(reason="dependency", detail=f"{count} not completed"))
    return reasons


def agent_view(row: Row) -> Agent:
    usage = Usage.model_validate(from_json(row.usage)) if row.usage else Usage()
    return Agent(
        id=row.id,
        status=row.status,
        current_task=row.task_id,
        provider=row.provider,
        region=row.region,
        tier=row.tier,
        started_at=from_ms(row.claimed_ms),
        finished_at=row.finished_ms and from_ms(row.finished_ms),
        last_heartbeat_at=row.heartbeat_ms and from_ms(row.heartbeat_ms),
        tokens_used=TokensUsed(
            input=usage.input,
            output=usage.output,
            cache_read=usage.cache_read,
            cache_write=usage.cache_write_5m + usage.cache_write_1h,
        ),
        cost_cents=cents(row.cost_micro_usd),
        cost_micro_usd=row.cost_micro_usd,
        reserved_micro_usd=row.reserved_micro_usd,
        compute_cents=cents(row.compute_micro_usd),
        compute_micro_usd=row.compute_micro_usd,
        progress=Progress(
            turns=row.turns, last_tool=row.last_tool, files_changed=len(from_json(row.files)) if row.files else 0
        ),
        resources=Resources(cpu_percent=(row.cpu_percent or 0), rss_mb=(row.rss_mb or 0)),
    )
