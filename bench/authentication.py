"""What it costs to be asked who one is: the same answer from the same hub, open, for an API key, and for a token.

A hub of the bench's own, with its real application, server and store, whose table has one cheap answer three times. The
three take turns, so that what the machine does meanwhile is shared among them.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import NamedTuple

import psutil
import uvicorn

from bench.figures import Figure
from bench.hub import KEY
from bench.load import Address, closed_loop, request
from swarm_hub.app import build_app, open_hub
from swarm_hub.http import Route
from swarm_hub.process import loop_factory
from swarm_hub.routes.system import live
from swarm_hub.serve import server_config
from swarm_hub.settings import Settings

CLIENTS = 16
TURNS = 40
SECONDS = 0.25
LIMIT = 30.0
MOST = 15  # per cent

OPEN = "open"
PATH = "/answer"
ROUTES = (  # one path, so that finding them costs the same
    Route("GET", PATH, "open", live, "To anybody"),
    Route("POST", PATH, "tasks:read", live, "The same, to those who may"),
)


class Bench(NamedTuple):
    """A hub that serves `ROUTES`, and a token for it."""

    address: Address
    process: psutil.Process
    token: str


@dataclass
class Cost:
    """Of all answers of a kind together, in seconds."""

    answers: int = 0
    cpu: float = 0
    time: float = 0


def measure(folder: Path) -> Iterator[Figure]:
    with _serving(folder) as bench:
        kinds = {
            OPEN: request("GET", PATH, credential=None),
            "a verified API key": request("POST", PATH, credential=KEY),
            "a token": request("POST", PATH, credential=bench.token),
        }
        for sent in kinds.values():
            _ask(bench, sent, Cost())
        costs = {name: Cost() for name in kinds}
        for turn in range(TURNS):
            for name in sorted(kinds, reverse=turn % 2 == 1):
                _ask(bench, kinds[name], costs[name])
    yield Figure("a cheap answer, open, hub's CPU for each", costs[OPEN].cpu / costs[OPEN].answers * 1e6, "µs")
    for name in list(kinds)[1:]:
        yield Figure(f"the same with {name}, more CPU", _more(costs, name, lambda cost: cost.cpu), "%", at_most=MOST)
        yield Figure(f"the same with {name}, more time", _more(costs, name, lambda cost: cost.time), "%", at_most=MOST)


def _more(costs: Mapping[str, Cost], name: str, part: Callable[[Cost], float]) -> float:
    """Per cent over the open answer."""
    each = {kind: part(cost) / cost.answers for kind, cost in costs.items()}
    return (each[name] / each[OPEN] - 1) * 100


def _ask(bench: Bench, sent: bytes, cost: Cost) -> None:
    cpu, begin = _cpu(bench.process), time.monotonic()
    answers = closed_loop(bench.address, [repeat(sent)] * CLIENTS, SECONDS)
    assert {answer.status for answer in answers} == {200}
    cost.answers += len(answers)
    cost.cpu += _cpu(bench.process) - cpu
    cost.time += time.monotonic() - begin


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


@contextmanager
def _serving(folder: Path) -> Iterator[Bench]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(folder, theirs), daemon=True)
    process.start()
    try:
        assert ours.poll(LIMIT), "the hub did not start"
        address, token = ours.recv()
        yield Bench(address, psutil.Process(process.pid), token)
    finally:
        process.terminate()
        process.join(LIMIT)


def _serve(folder: Path, told: Pipe) -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_hub(folder, told))


async def _hub(folder: Path, told: Pipe) -> None:
    """Until the process is ended."""
    settings = Settings(data_dir=folder, simulate=True, bootstrap_key=KEY)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        address = listener.getsockname()[:2]
        url = f"http://127.0.0.1:{address[1]}"
        async with open_hub(settings, url) as hub:
            owner = await hub.identity.owner(KEY, "127.0.0.1")
            now = time.time()
            token = hub.identity.signer.sign(hub.grants.for_key(owner.id, None, now), now)
            server = uvicorn.Server(server_config(build_app(hub, url, ROUTES)))
            told.send((address, token))
            await server.serve([listener])
