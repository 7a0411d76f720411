"""Tasks and agents as the tests of traces want them."""

from typing import Any

from hub.played import PlayedHub, Worker
from telemetry.receiver import Receiver, Told

WHOLE = ("task code", "wait", "start", "invoke_agent")
"""The spans of a task that called no model."""


async def submitted(hub: PlayedHub, **headers: str) -> str:
    answer = await hub.post("/api/tasks", {"prompt": "Work"}, **headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def begun(hub: PlayedHub, task_id: str, attempt: int = 1) -> Worker:
    worker = await hub.worker(task_id, attempt)
    await worker.claim()
    return worker


async def done(hub: PlayedHub, **result: Any) -> str:
    """A task that has ended."""
    task = await hub.ended(**result)
    return task.id


def named(collector: Receiver, task_id: str, name: str) -> list[Told]:
    return sorted((span for span in collector.of(task_id) if span.name == name), key=lambda span: span.start)
