"""Agents that spend what a test wants, by their own report: a hub with scripted agents takes their word for it."""

from collections.abc import Sequence
from typing import Any

from hub.played import PlayedHub, Worker
from swarm_api.base import CENT
from swarm_api.budget import Budget, BudgetIn, LabelLimit
from swarm_api.events import Event
from swarm_api.tasks import Blocked, Task
from swarm_api.words import EventType
from swarm_api.worker import UsageReport


async def spend(worker: Worker, cents: float) -> list[Any]:
    """The control that the worker hears after it."""
    cost = round(cents * CENT)
    await worker.report(UsageReport(model="claude-sonnet-4-5", output=1, cost_micro_usd=cost))
    control: list[Any] = (await worker.report())["control"]
    return control


async def spent_task(hub: PlayedHub, cents: float, **fields: Any) -> Task:
    """A task that has spent this and completed."""
    task, worker = await hub.running(**fields)
    await spend(worker, cents)
    await worker.finish()
    return await hub.client.task(task.id)


async def limit(hub: PlayedHub, *labels: LabelLimit, **limits: int) -> Budget:
    """New limits, and new ones for labels where any are given."""
    return await hub.client.set_budget(BudgetIn(**limits, labels=list(labels) or None))


async def waits(hub: PlayedHub, task: Task) -> Sequence[Blocked]:
    """What a task waits for after the scheduler has had its chance to start it."""
    await hub.parts.scheduler.tick()
    shown = await hub.client.task(task.id)
    assert (shown.status, shown.assigned_agent) == ("pending", None)
    return shown.blocked_by


async def waits_for_money(hub: PlayedHub, task: Task) -> Blocked:
    (reason,) = await waits(hub, task)
    assert reason.reason == "budget"
    return reason


async def reserved(hub: PlayedHub, worker: Worker) -> float:
    """For an agent, in cents."""
    return (await hub.client.agent(worker.agent_id)).reserved_micro_usd / CENT


async def events(hub: PlayedHub, *types: EventType, task: Task | None = None) -> list[Event]:
    """From the oldest on."""
    found = await hub.client.event_history(types=list(types), task_id=task.id if task else None)
    return sorted(found.events, key=lambda event: event.seq)
