"""From the submission of one task on an idle hub to its agent's claim and its worker's first word."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from websockets.sync.client import ClientConnection

from bench.figures import Figure, percentile
from bench.hub import Hub, running
from bench.load import Connection
from bench.tasks import simulated

TASKS = 40
LIMIT = 60.0


def measure(folder: Path) -> Iterator[Figure]:
    with running(folder) as hub, hub.events() as events:
        waits = [_one(hub, events, seed) for seed in range(TASKS + 1)][1:]
    spawned, started = zip(*waits, strict=True)
    yield Figure("submission stored to agent claimed, p50", percentile(spawned, 50), "ms", at_most=5)
    yield Figure("submission stored to agent claimed, p99", percentile(spawned, 99), "ms")
    yield Figure("submission sent to running, p50", percentile(started, 50), "ms", at_most=250)
    yield Figure("submission sent to running, p99", percentile(started, 99), "ms", at_most=500)


def _one(hub: Hub, events: ClientConnection, seed: int) -> tuple[float, float]:
    """Milliseconds from the event of its storing to that of its agent, and from its sending to its start."""
    sent = time.monotonic()
    answer = Connection(hub.address).exchange(simulated(seed))
    assert answer.status == 201, answer.body
    task_id = json.loads(answer.body)["id"]
    seen = _events_of(events, task_id)
    return (seen["agent_spawned"] - seen["task_created"]) * 1000, (seen["task_started"] - sent) * 1000


def _events_of(events: ClientConnection, task_id: str) -> dict[str, float]:
    """When each event of a task came, until its last agent has ended."""
    seen: dict[str, float] = {}
    while "task_completed" not in seen:
        event = json.loads(events.recv(LIMIT))
        if event["payload"]["taskId"] == task_id:
            seen[event["type"]] = time.monotonic()
            assert event["type"] not in ("task_failed", "task_cancelled"), event
    return seen
