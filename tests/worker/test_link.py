"""The line between worker and hub, over connections that break, and what comes back on it."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from itertools import chain, cycle, repeat
from pathlib import Path
from typing import Any

import pytest

from client.cutting import WHOLE, cutting
from hub.played import PlayedHub, Worker, played_hub
from swarm_api.events import LogLine
from swarm_api.redaction import Redactor
from swarm_api.tasks import Task
from swarm_api.worker import LogReport, ResultReport
from swarm_hub.transitions import control, load_agent
from swarm_worker.encoding import encode
from swarm_worker.outbox import Outbox
from swarm_worker.spool import Spool
from worker.scripts import task
from worker.waiting import until
from worker.workers import carried

DEADLINE = 40


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


async def spawned(hub: PlayedHub, *steps: dict[str, Any]) -> tuple[Task, Worker]:
    submitted = await hub.client.submit(task(None, *steps))
    return submitted, await hub.worker(submitted.id)


async def ended(hub: PlayedHub, worker: "subprocess.Popen[str]", task_id: str) -> tuple[Task, list[LogLine]]:
    """The task and its log, once its worker has gone home content."""
    async with asyncio.timeout(DEADLINE):
        finished = await hub.client.wait(task_id)
        assert await asyncio.to_thread(worker.wait) == 0
        return finished, [line async for line in hub.client.follow_logs(task_id)]


async def tell(hub: PlayedHub, agent: Worker, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        await hub.parts.store.write(lambda tx, body=body: control(tx, load_agent(tx, agent.agent_id).agent, body))  # type: ignore[misc]


@pytest.mark.parametrize(
    "cuts", [chain([1_500], repeat(0, 6), repeat(WHOLE)), chain([1_500], cycle([250, 40, 0, 600, 10]))]
)
async def test_every_line_arrives_once_and_in_order_over_a_line_that_breaks(
    hub: PlayedHub, cuts: "chain[int | None]"
) -> None:
    """Answers are cut off before they begin and in the middle: the worker cannot know what the hub has stored."""
    submitted, agent = await spawned(hub, {"run": "for n in $(seq 200); do echo line $n; sleep 0.005; done"})
    async with cutting(hub.url, cuts) as proxy:
        with carried(hub, agent.agent_id, proxy.url) as worker:
            _, lines = await ended(hub, worker, submitted.id)
        assert proxy.connections > 5
    assert [line.text for line in lines if line.stream == "stdout"] == [f"line {n}" for n in range(1, 201)]


async def test_a_flood_of_lines_comes_in_bounded_batches(hub: PlayedHub) -> None:
    submitted, agent = await spawned(hub, {"run": "seq 20000"})
    with carried(hub, agent.agent_id) as worker:
        _, lines = await ended(hub, worker, submitted.id)
    assert [line.text for line in lines if line.stream == "stdout"] == [str(n) for n in range(1, 20_001)]


async def test_messages_are_heard_once_and_in_order(hub: PlayedHub) -> None:
    """Though every answer on both connections repeats them until they are seen."""
    submitted, agent = await spawned(
        hub, {"echo_messages": 1}, {"run": "seq 100"}, {"echo_messages": 2}, {"run": "seq 9"}
    )
    with carried(hub, agent.agent_id) as worker:
        await agent_claimed(hub, submitted.id)
        await tell(hub, agent, *({"kind": "message", "text": text} for text in ("one", "two", "three")))
        _, lines = await ended(hub, worker, submitted.id)
    assert [line.text for line in lines if line.stream == "agent"] == ["heard: one", "heard: two", "heard: three"]


async def agent_claimed(hub: PlayedHub, task_id: str) -> None:
    async with asyncio.timeout(DEADLINE):
        async for event in hub.client.events(after=0, types=["task_started"], task_id=task_id):
            assert event
            return


async def test_a_new_token_is_used_from_then_on(hub: PlayedHub) -> None:
    """Shown by one that opens nothing: with it the worker is turned away."""
    submitted, agent = await spawned(hub, {"echo_messages": 1})
    with carried(hub, agent.agent_id) as worker:
        await agent_claimed(hub, submitted.id)
        await tell(hub, agent, {"kind": "token", "text": "opens-nothing"})
        assert await asyncio.to_thread(worker.wait, DEADLINE) == 4


async def test_a_renewed_token_disturbs_nothing(hub: PlayedHub) -> None:
    submitted, agent = await spawned(hub, {"echo_messages": 1}, {"run": "seq 50"})
    with carried(hub, agent.agent_id) as worker:
        await agent_claimed(hub, submitted.id)
        token = hub.token(agent.agent_id)
        await tell(hub, agent, {"kind": "token", "text": token}, {"kind": "message", "text": "go on"})
        finished, lines = await ended(hub, worker, submitted.id)
    assert finished.status == "completed"
    assert len([line for line in lines if line.stream == "stdout"]) == 50


async def test_a_report_that_the_hub_refuses_holds_up_nothing(hub: PlayedHub) -> None:
    steps = ({"say": "before"}, {"usage": {"input": -1}}, {"say": "after"})
    submitted, agent = await spawned(hub, *steps)
    with carried(hub, agent.agent_id) as worker:
        finished, lines = await ended(hub, worker, submitted.id)
    assert finished.status == "completed"
    assert [line.text for line in lines if line.stream == "agent"] == ["before", "after"]
    (note,) = [line.text for line in lines if "refused" in line.text]
    assert note.startswith("the hub refused a report of the kind usage: ")


async def test_a_cancel_that_comes_while_the_place_is_made_is_heard(hub: PlayedHub) -> None:
    submitted, agent = await spawned(hub, {"hang": True})
    with carried(hub, agent.agent_id) as worker:
        await agent_claimed(hub, submitted.id)
        await hub.client.cancel(submitted.id)
        finished, _ = await ended(hub, worker, submitted.id)
    assert finished.status == "cancelled"


async def test_a_worker_that_is_told_to_end_does_not_wait_for_its_hub_for_ever(hub: PlayedHub) -> None:
    submitted, agent = await spawned(hub, {"run": "for n in $(seq 50); do echo nobody hears this; sleep 0.02; done"})
    async with cutting(hub.url, chain([1_500], repeat(0))) as proxy:
        with carried(hub, agent.agent_id, proxy.url) as worker:
            await agent_claimed(hub, submitted.id)
            await until(lambda: proxy.connections > 8)
            assert worker.poll() is None
            worker.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(worker.wait, DEADLINE) == 5


class TestOutbox:
    """What waits to be sent."""

    @pytest.fixture
    def outbox(self, tmp_path: Path) -> Iterator[Outbox]:
        spool = Spool(tmp_path / "spool")
        yield Outbox(spool)
        spool.close()

    def test_a_refused_result_is_replaced_by_one_that_says_so(self, outbox: Outbox) -> None:
        outbox.put(ResultReport(status="success", branch="swarm/x", commit="c", patch="too much"))
        outbox.excuse(outbox.batch(1, 1_000)[0], "the request is too large")
        (told,) = outbox.batch(1, 1_000)
        assert json.loads(told) | {"summary": ""} == json.loads(
            encode(
                ResultReport(
                    n=1,
                    status="failure",
                    error_code="delivery_failed",
                    error_message="the hub refused the result: the request is too large",
                    branch="swarm/x",
                    commit="c",
                ),
                Redactor(),
            )
        )
        assert outbox.refused_result

    async def test_what_produces_more_than_the_disk_should_hold_waits(
        self, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("swarm_worker.outbox.FULL", 100)
        outbox.put(LogReport(stream="stdout", text="x" * 200))
        waiting = asyncio.create_task(outbox.room())
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert not done
        outbox.acknowledge(1)
        async with asyncio.timeout(5):
            await waiting
