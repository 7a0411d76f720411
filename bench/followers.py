"""Events to those who follow: 100 WebSockets, then 1,000 SSE streams, while 400 tasks a second are submitted."""

import re
import resource
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench.figures import Figure, percentile
from bench.hub import Hub, running
from bench.load import Address, paced
from bench.streams import Arrivals, EventSocket, EventStream, Stream, close, read_until
from bench.tasks import held

RATE = 400
SECONDS = 5.0
SOCKETS = 100
STREAMS = 1_000
LIMIT = 60.0
_SEQ = re.compile(rb'"seq": ?(\d+)')


def measure(folder: Path) -> Iterator[Figure]:
    _allow_many_files()
    (folder / "a").mkdir()
    with running(folder / "a") as hub:
        yield from _figures(
            hub, f"{SOCKETS} WebSockets", SOCKETS, lambda arrivals: EventSocket(hub.address, arrivals), p99=10
        )
    (folder / "b").mkdir()
    with running(folder / "b") as hub:
        path = "/api/events?after=0"
        yield from _figures(
            hub, f"{STREAMS:,} SSE streams", STREAMS, lambda arrivals: EventStream(hub.address, path, arrivals), p99=150
        )


def _figures(hub: Hub, name: str, count: int, follow: Callable[[Arrivals], Stream], p99: float) -> Iterator[Figure]:
    arrivals = Arrivals()
    before = hub.process.memory_info().rss
    streams = [follow(arrivals) for _ in range(count)]
    each = (hub.process.memory_info().rss - before) / count / 1024
    cpu = hub.cpu_seconds
    since = _submit_while_reading(hub.address, streams)
    cpu = hub.cpu_seconds - cpu
    delivered = sum(stream.received for stream in streams)
    waited = arrivals.delays(since)
    close(streams)
    yield Figure(f"{name}, lost events", len(since) * count - delivered, "", at_most=0)
    took = max(arrivals.times) - min(since.values())
    yield Figure(f"{name}, events delivered", delivered / took, "per s", at_least=0.9 * RATE * count)
    yield Figure(f"{name}, submission sent to event received, p50", percentile(waited, 50), "ms")
    yield Figure(f"{name}, submission sent to event received, p99", percentile(waited, 99), "ms", at_most=p99)
    yield Figure(f"{name}, memory for each", each, "KiB", at_most=30)
    yield Figure(f"{name}, hub's CPU for each delivery", cpu / delivered * 1e6, "µs")


def _submit_while_reading(address: Address, streams: Sequence[Stream]) -> dict[int, float]:
    """When the submission that made each event was sent. Every reader has seen all of them when this returns."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        sender = pool.submit(_sender, address)
        read_until(streams, sender.done, LIMIT)
        since = sender.result()
    total = len(since) * len(streams)
    read_until(streams, lambda: sum(stream.received for stream in streams) >= total, LIMIT)
    return since


def _sender(address: Address) -> dict[int, float]:
    since = {}
    for answer in paced(address, held(7), RATE, SECONDS):
        seq = _SEQ.search(answer.body)
        assert seq, answer.body
        since[int(seq.group(1))] = answer.sent
    return since


def _allow_many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1 << 16) if hard > 0 else 1 << 16, hard))
