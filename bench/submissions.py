"""Durable single submissions over HTTP."""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench.figures import Figure, percentile
from bench.hub import Hub, running
from bench.load import Address, Answer, closed_loop
from bench.tasks import held

SECONDS = 4.0
WARM_UP = 1.0
CLIENTS_OF_A_PROCESS = 32


def measure(folder: Path) -> Iterator[Figure]:
    with running(folder) as hub:
        _submit(hub, 16, WARM_UP, seed=0)
        yield from _figures(hub, 16, rate=4_000)
        yield from _figures(hub, 64, rate=5_000)


def _figures(hub: Hub, clients: int, rate: float) -> Iterator[Figure]:
    cpu, start = hub.cpu_seconds, time.monotonic()
    answers = _submit(hub, clients, SECONDS, seed=clients)
    cpu = hub.cpu_seconds - cpu
    took = max(answer.answered for answer in answers) - min(answer.sent for answer in answers)
    assert time.monotonic() - start >= took
    waited = [answer.milliseconds for answer in answers]
    name = f"submissions, {clients} clients"
    yield Figure(name, len(answers) / took, "per s", at_least=rate)
    yield Figure(f"{name}, p50", percentile(waited, 50), "ms")
    yield Figure(f"{name}, p99", percentile(waited, 99), "ms", at_most=50)
    yield Figure(f"{name}, hub's CPU for each", cpu / len(answers) * 1e6, "µs")


def _submit(hub: Hub, clients: int, seconds: float, seed: int) -> list[Answer]:
    processes = max(1, clients // CLIENTS_OF_A_PROCESS)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        runs = [
            pool.submit(_clients, hub.address, clients // processes, seconds, seed * 100 + i) for i in range(processes)
        ]
        answers = [answer for run in runs for answer in run.result()]
    assert {answer.status for answer in answers} == {201}
    return answers


def _clients(address: Address, clients: int, seconds: float, seed: int) -> list[Answer]:
    return closed_loop(address, [held(seed * 100 + i) for i in range(clients)], seconds)
