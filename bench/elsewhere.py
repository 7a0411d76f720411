"""What a worker elsewhere costs its cloud's API, on the tests' own Fly, which answers at once and limits nobody."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.figures import Figure
from executors.conformance import launch
from executors.fly_place import QUICK, FlyPlace
from swarm_executors.fly import FlyExecutor
from swarm_executors.protocol import Handle

WORKERS = 100


def measure(_: Path) -> Iterator[Figure]:
    calls, seconds = asyncio.run(_lives())
    yield Figure(f"calls of Fly's API for a worker, of {WORKERS}", calls / WORKERS, "calls", at_most=4)
    yield Figure(f"a worker on Fly, started to known ended, of {WORKERS}", 1000 * seconds / WORKERS, "ms", at_most=50)


async def _lives() -> tuple[int, float]:
    """Of workers that are started together and end by themselves."""
    async with FlyPlace() as place:
        executor = FlyExecutor(place.app, QUICK, limit=(1e6, 1_000_000))
        begin = time.monotonic()
        handles = await asyncio.gather(*(_started(executor) for _ in range(WORKERS)))
        for handle in handles:
            place.finish(handle, 0)
            await place.fly.machines[handle["machineId"]].gone.wait()
        ended = [await executor.poll(handle) for handle in handles]
        took = time.monotonic() - begin
        if any(seen.exit_code != 0 for seen in ended):
            raise RuntimeError("a worker did not end as it was told to")
        await executor.aclose()
        return len(place.faulty.calls), took


async def _started(executor: FlyExecutor) -> Handle:
    return await executor.start(replace(launch(executor), first=True))
