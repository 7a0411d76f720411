"""200 simulated tasks to their end: a worker process, a git worktree and a branch each."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from bench.hub import running
from bench.load import Connection
from bench.tasks import SHORT, batch

TASKS = 200
LIMIT = 120.0
ENDINGS = "task_completed,task_failed,task_cancelled"


def measure(folder: Path) -> Iterator[Figure]:
    with running(folder) as hub, hub.events(f"?types={ENDINGS}") as events:
        begin = time.monotonic()
        answer = Connection(hub.address).exchange(batch(TASKS, 5, labels=SHORT))
        assert answer.status == 201, answer.body
        ended = [json.loads(events.recv(LIMIT))["type"] for _ in range(TASKS)]
        took = time.monotonic() - begin
    assert set(ended) == {"task_completed"}, ended
    yield Figure(f"{TASKS} simulated tasks", took, "s")
    yield Figure(f"{TASKS} simulated tasks, to the end", TASKS / took, "per s", at_least=8)
