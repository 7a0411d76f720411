"""A batch of a thousand tasks in one request."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.figures import Figure
from bench.hub import running
from bench.load import Connection
from bench.tasks import batch

TASKS = 1_000
ROUNDS = 7


def measure(folder: Path) -> Iterator[Figure]:
    with running(folder) as hub:
        connection = Connection(hub.address)
        answers = [connection.exchange(batch(TASKS, seed, hold=True)) for seed in range(ROUNDS)]
    assert {answer.status for answer in answers} == {201}
    took = median(answer.milliseconds for answer in answers[1:])
    yield Figure("a batch of 1,000", took, "ms")
    yield Figure("a batch of 1,000, tasks", TASKS / took * 1000, "per s", at_least=20_000)
