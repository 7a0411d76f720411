"""A hub that is told to stop starts nothing more, serves those who work to its deadline, and leaves agents alone."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from hubs import HubProcess
from waiting import until


async def test_what_runs_is_served_to_its_end_and_what_waits_waits(
    start_hub: Callable[..., HubProcess], tmp_path: Path
) -> None:
    hub = start_hub(SWARM_DRAIN_SECONDS="60", MAX_PARALLEL_AGENTS="1")
    go = tmp_path / "go"
    async with hub.client() as client:
        first = await client.submit({"prompt": json.dumps([{"wait_file": str(go)}])})
        async for _ in client.events(after=0, task_id=first.id, types=["task_started"]):
            break
        second = await client.submit({"prompt": "[]"})
        stopping = asyncio.create_task(asyncio.to_thread(hub.stop))
        await until(lambda: "told to stop" in hub.log.read_text())
        assert (await client.task(first.id)).status == "running"
        go.touch()
        assert (await client.wait(first.id)).status == "completed"
        assert await stopping == 0
        await asyncio.to_thread(hub.start)
    async with hub.client() as client:
        assert (await client.wait(second.id)).status == "completed"


async def test_told_a_second_time_it_stops_at_once_and_the_agent_goes_on(
    start_hub: Callable[..., HubProcess], tmp_path: Path
) -> None:
    hub = start_hub(SWARM_DRAIN_SECONDS="600")
    go = tmp_path / "go"
    async with hub.client() as client:
        task = await client.submit({"prompt": json.dumps([{"wait_file": str(go)}])})
        async for _ in client.events(after=0, task_id=task.id, types=["task_started"]):
            break
    stopping = asyncio.create_task(asyncio.to_thread(hub.stop, signal.SIGTERM))
    await until(lambda: "told to stop" in hub.log.read_text())
    signal_again(hub)
    assert await stopping == 0
    assert hub.agent_processes()
    go.touch()
    await asyncio.to_thread(hub.start)
    async with hub.client() as client:
        assert (await client.wait(task.id)).status == "completed"


def signal_again(hub: HubProcess) -> None:
    os.kill(hub.pid, signal.SIGTERM)
