"""Events to those who follow: 100 WebSockets, then 1,000 SSE streams, while 400 tasks a second are submitted."""

import re
import resource
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from bench.figures import Figure, percentile
from bench.hub import Hub, running
from bench.load import Address, paced
from bench.streams import Arrivals, EventSocket, EventStream, Stream, close, read_until
from bench.tasks import held

RATE = 400
SECONDS = 5.0
LIMIT = 60.0
_SEQ = re.compile(rb'"seq": ?(\d+)')


@dataclass(frozen=True)
class Crowd:
    """Followers of one kind. The aims: `delivered` a second, `p99` in milliseconds, `memory` in KiB."""

    name: str
    count: int
    open: Callable[[Address, Arrivals], Stream]
    delivered: float | None
    p99: float
    memory: float | None


def _stream(address: Address, arrivals: Arrivals) -> Stream:
    return EventStream(address, "/api/events?after=0", arrivals)


CROWDS = (
    Crowd("100 WebSockets", 100, EventSocket, None, p99=10, memory=None),
    Crowd("1,000 SSE streams", 1_000, _stream, 300_000, p99=150, memory=30),
)


def measure(folder: Path) -> Iterator[Figure]:
    _allow_many_files()
    for crowd in CROWDS:
        place = folder / str(crowd.count)
        place.mkdir()
        with running(place) as hub:
            yield from _figures(hub, crowd)


def _figures(hub: Hub, crowd: Crowd) -> Iterator[Figure]:
    arrivals = Arrivals()
    before = hub.process.memory_info().rss
    streams = [crowd.open(hub.address, arrivals) for _ in range(crowd.count)]
    each = (hub.process.memory_info().rss - before) / crowd.count / 1024
    cpu = hub.cpu_seconds
    since = _submit_while_reading(hub.address, streams)
    cpu = hub.cpu_seconds - cpu
    close(streams)
    delivered = sum(stream.received for stream in streams)
    took = max(arrivals.times) - min(since.values())
    waited = arrivals.delays(since)
    yield Figure(f"{crowd.name}, lost events", len(since) * crowd.count - delivered, "", at_most=0)
    yield Figure(f"{crowd.name}, events delivered", delivered / took, "per s", at_least=crowd.delivered)
    yield Figure(f"{crowd.name}, submission to event, p50", percentile(waited, 50), "ms")
    yield Figure(f"{crowd.name}, submission to event, p99", percentile(waited, 99), "ms", at_most=crowd.p99)
    yield Figure(f"{crowd.name}, memory for each", each, "KiB", at_most=crowd.memory)
    yield Figure(f"{crowd.name}, hub's CPU for each delivery", cpu / delivered * 1e6, "µs")


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
