"""Log lines in from 50 workers, the log of each task followed by 5 readers.

The hub starts 50 real workers. As soon as they run they are stopped (SIGSTOP), and the bench reports in their place
with their tokens, as fast as the hub acknowledges.
"""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import psutil

from bench.figures import Figure, percentile
from bench.hub import Hub, running
from bench.load import Address, Answer, Connection, closed_loop, request
from bench.streams import Arrivals, EventStream, close, read_until
from bench.tasks import WAITING, batch
from swarm_hub.identity.agent_tokens import AgentTokens
from swarm_hub.identity.secret import load_secret

WORKERS = 50
READERS = 5
LINES = 200
SECONDS = 4.0
LIMIT = 60.0
TEXT = "compiling src/shop/checkout/voucher.py: 214 of 907, nothing to complain about in this one"


def measure(folder: Path) -> Iterator[Figure]:
    settings = {"SIMULATE_MODE": "false", "SWARM_RUNTIME": "scripted", "MAX_PARALLEL_AGENTS": str(WORKERS)}
    with running(folder, **settings) as hub:
        agents = _agents(hub)
        for process in hub.process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # a git that has done its work meanwhile
                process.send_signal(signal.SIGSTOP)
        arrivals = Arrivals()
        paths = [f"/api/tasks/{task_id}/logs" for task_id in agents.values() for _ in range(READERS)]
        stored = {agent_id: _stored(hub, agent_id) for agent_id in agents}
        readers = [EventStream(hub.address, path, arrivals) for path in paths]
        cpu = hub.cpu_seconds
        answers = _report_while_reading(hub, stored, readers)
        cpu = hub.cpu_seconds - cpu
        close(readers)
    yield from _figures(answers, readers, cpu)


def _figures(answers: list[Answer], readers: list[EventStream], cpu: float) -> Iterator[Figure]:
    lines = len(answers) * LINES
    took = max(answer.answered for answer in answers) - min(answer.sent for answer in answers)
    waited = [answer.milliseconds for answer in answers]
    yield Figure(f"log lines in from {WORKERS} workers", lines / took, "per s", at_least=50_000)
    yield Figure(f"log lines out to {len(readers)} readers", lines * READERS / took, "per s")
    yield Figure(f"{LINES} log lines reported and acknowledged, p50", percentile(waited, 50), "ms")
    yield Figure(f"{LINES} log lines reported and acknowledged, p99", percentile(waited, 99), "ms")
    yield Figure("log lines, hub's CPU for each", cpu / lines * 1e6, "µs")


def _agents(hub: Hub) -> dict[str, str]:
    """Running agents and their tasks."""
    with hub.events("?types=task_started") as events:
        answer = Connection(hub.address).exchange(batch(WORKERS, 11, **WAITING))
        assert answer.status == 201, answer.body
        started = [json.loads(events.recv(LIMIT))["payload"] for _ in range(WORKERS)]
    return {payload["agentId"]: payload["taskId"] for payload in started}


def _stored(hub: Hub, agent_id: str) -> int:
    """How many reports of its own the worker got through before it was stopped."""
    answer = Connection(hub.address).exchange(_request(hub.folder, agent_id, '{"reports":[]}'))
    return int(json.loads(answer.body)["stored"])


def _report_while_reading(hub: Hub, stored: dict[str, int], readers: list[EventStream]) -> list[Answer]:
    before = sum(reader.received for reader in readers)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        sender = pool.submit(_sender, hub.address, hub.folder, stored)
        read_until(readers, sender.done, LIMIT)
        answers = sender.result()
    total = before + len(answers) * LINES * READERS
    read_until(readers, lambda: sum(reader.received for reader in readers) >= total, LIMIT)
    return answers


def _sender(address: Address, folder: Path, stored: dict[str, int]) -> list[Answer]:
    answers = closed_loop(address, [_reports(folder, *agent) for agent in stored.items()], SECONDS)
    assert {answer.status for answer in answers} == {200}
    return answers


def _reports(folder: Path, agent_id: str, stored: int) -> Iterator[bytes]:
    line = f'{{"n":%d,"kind":"log","stream":"stdout","text":"{TEXT}","atMs":1790000000000,"elapsedMs":1000}}'
    while True:
        numbers = range(stored + 1, stored + 1 + LINES)
        yield _request(folder, agent_id, '{"reports":[' + ",".join(line % n for n in numbers) + "]}")
        stored += LINES


def _request(folder: Path, agent_id: str, body: str) -> bytes:
    return request("POST", f"/worker/v1/agents/{agent_id}/reports", body.encode(), _token(folder, agent_id))


@cache
def _token(folder: Path, agent_id: str) -> str:
    return AgentTokens(load_secret(folder / "data" / "worker.secret")).issue("worker", agent_id, time.time())
