"""`POST /api/tasks/{id}/cancel`: the end of a task, whether its worker hears of it or not."""

import asyncio
import time

import pytest

from hub.played import LIMIT, PlayedHub
from hub.problems import assert_problem
from swarm_api.errors import Conflict
from swarm_api.words import FINISHED


async def test_a_task_that_waits_is_cancelled_at_once(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    answer = await hub.post(f"/api/tasks/{task.id}/cancel")
    assert answer.status_code == 202
    assert answer.json()["status"] == "cancelled"
    assert answer.json()["result"]["error"]["code"] == "cancelled"


async def test_a_task_whose_worker_has_not_claimed_it_is_cancelled_at_once(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go"})
    worker = await hub.worker(task.id)
    assert (await hub.client.cancel(task.id)).status == "cancelled"
    assert_problem(await worker.post("claim", {"incarnation": "too-late"}), 409, "stale_agent")
    await hub.stage.stops(worker.agent_id)


async def test_a_running_task_is_cancelled_by_its_worker(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    assert (await hub.client.cancel(task.id)).status == "running"
    ack = await worker.report()
    assert [(control["kind"], control["reason"]) for control in ack["control"]] == [("cancel", "cancelled")]
    await worker.finish(status="cancelled", branch="swarm/x", commit="c" * 40, error_code="cancelled")
    ended = await hub.client.task(task.id)
    assert ended.status == "cancelled"
    assert ended.result is not None
    assert ended.result.branch == "swarm/x"


async def test_cancelling_again_changes_nothing_and_is_200(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    first = await hub.post(f"/api/tasks/{task.id}/cancel")
    again = await hub.post(f"/api/tasks/{task.id}/cancel")
    assert (first.status_code, again.status_code) == (202, 200)
    assert len((await worker.report())["control"]) == 1
    await worker.finish(status="cancelled")
    late = await hub.post(f"/api/tasks/{task.id}/cancel")
    assert (late.status_code, late.json()["status"]) == (200, "cancelled")


@pytest.mark.parametrize("status", ["success", "failure"])
async def test_a_task_that_has_ended_cannot_be_cancelled(hub: PlayedHub, status: str) -> None:
    task = await hub.ended(status)
    assert_problem(await hub.post(f"/api/tasks/{task.id}/cancel"), 409, "task_finished")
    with pytest.raises(Conflict):
        await hub.client.cancel(task.id)


async def test_an_accepted_cancel_wins_over_a_result_that_comes_later(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await hub.client.cancel(task.id)
    await worker.finish(status="success", branch="swarm/x", files_changed=["a"])
    ended = await hub.client.task(task.id)
    assert ended.status == "cancelled"
    assert ended.result is not None
    assert (ended.result.status, ended.result.branch) == ("cancelled", "swarm/x")


async def test_a_cancel_wins_over_a_crash_that_would_cost_another_attempt(hub: PlayedHub) -> None:
    task, worker = await hub.running(maxAttempts=3)
    await hub.client.cancel(task.id)
    await worker.finish(status="failure", error_code="runtime_crashed")
    assert (await hub.client.task(task.id)).status == "cancelled"


async def test_within_15_seconds_the_state_is_final_and_a_silent_agent_fenced(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    begun = time.monotonic()
    await hub.client.cancel(task.id)
    async with asyncio.timeout(15):
        ended = await hub.client.wait(task.id)
    assert ended.status == "cancelled"
    assert time.monotonic() - begun < 15
    assert_problem(await worker.send([]), 409, "stale_agent")
    await hub.stage.stops(worker.agent_id)


async def test_a_cancel_frees_a_place_for_the_next(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await hub.client.cancel(task.id)
    await worker.finish(status="cancelled")
    assert (await hub.client.queue()).running == 0


async def test_of_many_cancels_at_once_one_is_accepted(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    async with asyncio.timeout(LIMIT):
        answers = await asyncio.gather(*[hub.post(f"/api/tasks/{task.id}/cancel") for _ in range(20)])
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    history = await hub.client.event_history(task_id=task.id, types=["task_cancelled"])
    assert len(history.events) == 1
    assert (await hub.client.task(task.id)).status in FINISHED
