"""The heartbeat of a worker, and what its answer carries: control, repeated until it is seen, and at once."""

import asyncio
import time
from contextlib import aclosing

import httpx
import pytest

from hub.played import LIMIT, PlayedHub, Worker
from hub.problems import assert_problem
from hub.reporting import numbered
from swarm_api.tasks import Task


async def test_an_empty_report_is_the_heartbeat(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    before = (await hub.client.agent(worker.agent_id)).last_heartbeat_at
    assert await worker.report() == {"stored": 0, "control": []}
    assert before is not None
    assert (await hub.client.agent(worker.agent_id)).last_heartbeat_at >= before  # type: ignore[operator]


async def test_control_is_repeated_until_it_is_seen(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await hub.client.cancel(task.id)
    first, again = await worker.report(), await worker.report()
    assert first["control"] == again["control"] != []
    assert (await worker.report(seen=first["control"][0]["c"]))["control"] == []


async def test_an_answer_with_control_is_not_held_back(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await hub.client.cancel(task.id)
    async with asyncio.timeout(5):
        assert (await worker.report(wait=25))["control"]


async def test_a_waiting_answer_comes_at_once_with_a_cancel(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    waiting = await held(hub, task, worker)
    begun = time.monotonic()
    await hub.client.cancel(task.id)
    ack = (await waiting).json()
    assert [control["kind"] for control in ack["control"]] == ["cancel"]
    assert time.monotonic() - begun < 5


async def test_a_waiting_answer_comes_without_control_when_its_time_is_up(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    begun = time.monotonic()
    assert await worker.report(wait=0.5) == {"stored": 0, "control": []}
    assert time.monotonic() - begun >= 0.5


async def test_a_waiting_worker_hears_when_it_is_no_longer_current(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    waiting = await held(hub, task, worker)
    await worker.finish()
    assert_problem(await waiting, 409, "stale_agent")


async def test_a_waiting_answer_comes_when_the_hub_closes(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    waiting = await held(hub, task, worker)
    hub.parts.close()
    assert (await waiting).json() == {"stored": 1, "control": []}


@pytest.mark.parametrize("wait", ["-1", "26", "nan", "soon"])
async def test_an_answer_waits_0_to_25_seconds(hub: PlayedHub, wait: str) -> None:
    _, worker = await hub.running()
    assert_problem(await worker.post(f"reports?wait={wait}", {"reports": []}), 400, "malformed_request", "wait")


async def held(hub: PlayedHub, task: Task, worker: Worker) -> asyncio.Task[httpx.Response]:
    """The answer to a report that the hub has stored, and holds back."""
    worker.last = 1
    waiting = asyncio.create_task(worker.send(numbered(1), wait=25))
    async with asyncio.timeout(LIMIT), aclosing(hub.client.follow_logs(task.id)) as lines:
        await anext(lines)
    return waiting
