"""A hub that was killed with 100,000 tasks in its store."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.figures import Figure
from bench.hub import kill, running, start, stop
from bench.load import Connection, request
from bench.tasks import batch, held

TASKS = 100_000
BATCH = 1_000
READS = 50


def measure(folder: Path) -> Iterator[Figure]:
    with running(folder) as hub:
        connection = Connection(hub.address)
        for seed in range(TASKS // BATCH):
            assert connection.exchange(batch(BATCH, seed, hold=True)).status == 201
        listing = request("GET", "/api/tasks?limit=50")
        reads = [connection.exchange(listing).milliseconds for _ in range(READS)]
        yield Figure("the 50 newest of 100,000 tasks", median(reads), "ms")
        kill(hub)
    begin = time.monotonic()
    again = start(folder)
    try:
        answer = Connection(again.address).exchange(next(held(1)))
        assert answer.status == 201
        yield Figure("kill -9 with 100,000 tasks, accepts again after", answer.answered - begin, "s", at_most=2)
    finally:
        stop(again)
