"""Waiting for tasks to end, by the journal: nobody asks over and over."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from time import monotonic
from typing import Literal, NamedTuple, Protocol

from swarm_api.client import HubClient
from swarm_api.ids import short
from swarm_api.tasks import Task
from swarm_api.words import FINISHED, EventType

ENDINGS: tuple[EventType, ...] = ("task_completed", "task_failed", "task_cancelled")
PULSE = 10.0  # seconds between two reports of progress; Claude Code gives up a call that is silent for 5 minutes

Until = Literal["all", "any"]


class Report(Protocol):
    async def __call__(self, progress: float, total: float | None, message: str | None) -> None: ...


class Waiting(NamedTuple):
    """What is waited for. `seconds`: how long at most; None: until they end."""

    ids: Sequence[str]
    until: Until
    seconds: float | None


async def endings(hub: HubClient, ids: Sequence[str]) -> AsyncGenerator[Task, None]:
    """Each of these tasks once it has ended, in the order in which they do. Raises `NotFound`, `Conflict`."""
    tasks = {task.id: task for task in [await hub.task(id_) for id_ in ids]}
    waiting = {id_ for id_, task in tasks.items() if task.status not in FINISHED}
    for id_ in tasks.keys() - waiting:
        yield tasks[id_]
    if not waiting:
        return
    after = min(tasks[id_].seq for id_ in waiting)
    async with aclosing(hub.events(after=after, types=ENDINGS)) as events:
        while waiting:
            event = await anext(events)
            id_ = str(event.payload["taskId"])
            if id_ in waiting and (task := await hub.task(id_)).status in FINISHED:
                waiting.discard(id_)
                yield task


async def wait(hub: HubClient, what: Waiting, stopping: asyncio.Event, report: Report) -> None:
    """Return once they have ended, the time is up or the server stops. Progress is reported every ten seconds."""
    begun, ended = monotonic(), list[str]()
    waiter = asyncio.create_task(_collect(hub, what, ended))
    stop = asyncio.create_task(stopping.wait())
    try:
        while not (waiter.done() or stop.done()):
            waited = monotonic() - begun
            left = PULSE if what.seconds is None else min(PULSE, what.seconds - waited)
            if left <= 0:
                return
            await asyncio.wait({waiter, stop}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            await report(monotonic() - begun, what.seconds, f"{len(ended)} of {len(what.ids)} ended {_named(ended)}")
        if waiter.done():
            waiter.result()
    finally:
        for job in (waiter, stop):
            job.cancel()
        await asyncio.gather(waiter, stop, return_exceptions=True)


async def _collect(hub: HubClient, what: Waiting, ended: list[str]) -> None:
    async with aclosing(endings(hub, what.ids)) as tasks:
        async for task in tasks:
            ended.append(task.id)
            if what.until == "any":
                return


def _named(ids: Sequence[str]) -> str:
    return f"({', '.join(map(short, ids))})" if ids else ""
