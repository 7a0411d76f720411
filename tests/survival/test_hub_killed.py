"""`kill -9` of the hub, at any instant, under load."""

import asyncio
import json
import os
import random
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from hubs import HubProcess
from survival.followers import Seen, follow_events, follow_log, follow_socket
from swarm_api.client import HubClient
from swarm_api.errors import HubUnreachable, SwarmError
from swarm_api.tasks import Task
from waiting import until

KILLS = 30
AGENTS = 8
LINES = 12
LONGEST_LIFE = 1.2  # seconds a hub lives before it is killed
SEED = int(os.environ.get("SURVIVAL_SEED", "20261123"))


def script(marker: Path) -> str:
    """A task that leaves one mark for each time it runs, and says numbered lines while it does."""
    steps: list[dict[str, object]] = [{"run": f"echo ran >> '{marker}'"}]
    for number in range(LINES):
        steps += [{"say": f"line {number}"}, {"sleep": 0.1}]
    return json.dumps([*steps, {"write": ["out.txt", "done\n"]}])


class Load:
    """Submits while there is room to keep the agents busy, and remembers what was acknowledged."""

    def __init__(self, client: HubClient, folder: Path, seen: Seen) -> None:
        self._client = client
        self._folder = folder
        self._seen = seen
        self.acknowledged: dict[str, Path] = {}
        self.followers: list[asyncio.Task[None]] = []

    async def submit_until(self, enough: asyncio.Event) -> None:
        for number in count():
            if enough.is_set():
                return
            marker = self._folder / f"mark-{number}"
            try:
                task = await self._client.submit({"prompt": script(marker), "name": f"task {number}"})
            except SwarmError:
                continue  # not acknowledged: nothing was promised, and it may run or not
            self.acknowledged[task.id] = marker
            self.followers.append(asyncio.create_task(follow_log(self._client, task.id, self._seen)))
            while not enough.is_set() and await self._waiting() >= AGENTS:  # noqa: ASYNC110  # the hub is asked
                await asyncio.sleep(0.1)

    async def _waiting(self) -> int:
        try:
            return (await self._client.queue()).pending
        except SwarmError:
            return AGENTS


async def kill_again_and_again(hub: HubProcess, chance: random.Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.0, LONGEST_LIFE))
        await asyncio.to_thread(hub.kill)
        await asyncio.to_thread(hub.start)


async def ended(client: HubClient, task_id: str) -> Task:
    async with asyncio.timeout(60):
        return await client.wait(task_id)


@pytest.mark.timeout(300)
async def test_nothing_acknowledged_is_lost_and_nothing_runs_twice(
    start_hub: Callable[..., HubProcess], tmp_path: Path
) -> None:
    """After 30 kills at random instants each task has run once, and each follower saw everything once, in order."""
    hub = start_hub(MAX_PARALLEL_AGENTS=str(AGENTS))
    seen, enough = Seen(), asyncio.Event()
    async with hub.client() as client:
        load = Load(client, tmp_path, seen)
        following = [
            asyncio.create_task(follow_events(client, seen)),
            asyncio.create_task(follow_socket(hub.url, seen)),
        ]
        submitting = asyncio.create_task(load.submit_until(enough))
        await kill_again_and_again(hub, random.Random(SEED))  # noqa: S311  # no secret: it must repeat
        enough.set()
        await submitting
        tasks = [await ended(client, task_id) for task_id in load.acknowledged]
        async with asyncio.timeout(30):
            await asyncio.gather(*load.followers)
        head = (await client.queue()).seq
        await until(lambda: min(seen.by_sse[-1], seen.by_socket[-1]) >= head)
        for follower in following:
            follower.cancel()
        await asyncio.gather(*following, return_exceptions=True)

        assert len(tasks) > AGENTS, "the load must be more than the hub runs at once"
        assert [(task.status, task.attempts) for task in tasks] == [("completed", 1)] * len(tasks)
        assert [load.acknowledged[task.id].read_text() for task in tasks] == ["ran\n"] * len(tasks)
        assert seen.by_sse == list(range(1, head + 1))
        assert seen.by_socket == list(range(1, head + 1))
        for task in tasks:
            lines = seen.lines[task.id]
            assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
            assert [line.text for line in lines if line.stream == "agent"] == [f"line {n}" for n in range(LINES)]
        assert (await client.agents(active=True)).agents == []


async def test_a_client_is_told_that_the_hub_is_away(hub: HubProcess, client: HubClient) -> None:
    """A request while nobody listens ends with `HubUnreachable`, not with a hang."""
    hub.kill()
    with pytest.raises(HubUnreachable):
        await client.queue()
