"""`POST /api/tasks/{id}/retry`, and the attempts the hub makes by itself."""

import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from swarm_api.errors import Conflict
from swarm_api.worker import LogReport, ProgressReport
from swarm_executors.protocol import Observation


@pytest.mark.parametrize("status", ["failure", "timeout", "cancelled"])
async def test_a_failed_or_cancelled_task_is_tried_again(hub: PlayedHub, status: str) -> None:
    task = await hub.ended(status)
    answer = await hub.post(f"/api/tasks/{task.id}/retry", {})
    assert answer.status_code == 202
    assert answer.json()["status"] == "pending"
    worker = await hub.worker(task.id, attempt=2)
    assert (await worker.claim())["attempt"] == 2
    await worker.finish()
    done = await hub.client.task(task.id)
    assert (done.status, done.attempts) == ("completed", 2)


async def test_a_retry_needs_no_body(hub: PlayedHub) -> None:
    task = await hub.ended()
    assert (await hub.post(f"/api/tasks/{task.id}/retry")).status_code == 202


async def test_a_retry_starts_a_held_task(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    await hub.client.cancel(task.id)
    await hub.client.retry(task.id)
    await hub.worker(task.id)


@pytest.mark.parametrize("state", ["pending", "running", "completed"])
async def test_any_other_task_cannot_be_retried(hub: PlayedHub, state: str) -> None:
    if state == "pending":
        task = await hub.client.submit({"prompt": "Go", "hold": True})
    elif state == "running":
        task, _ = await hub.running()
    else:
        task = await hub.ended("success")
    with pytest.raises(Conflict):
        await hub.client.retry(task.id)


async def test_a_retry_goes_on_with_session_and_branch(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    first = await worker.claim()
    await worker.report(ProgressReport(session_id="s-1"))
    await worker.finish(status="failure")
    await hub.client.retry(task.id)
    second = await (await hub.worker(task.id, attempt=2)).claim()
    assert "resume" not in first
    assert second["resume"]["sessionId"] == "s-1"
    assert second["branch"] == first["branch"]


async def test_a_fresh_retry_begins_from_the_base(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.report(ProgressReport(session_id="s-1"))
    await worker.finish(status="failure")
    await hub.client.retry(task.id, fresh=True)
    worker = await hub.worker(task.id, attempt=2)
    assert "resume" not in await worker.claim()


async def test_what_follows_a_fresh_attempt_does_not_go_back_to_the_session_before_it(hub: PlayedHub) -> None:
    task, worker = await hub.running(maxAttempts=2)
    await worker.report(ProgressReport(session_id="the old one"))
    await worker.finish(status="failure")
    await hub.client.retry(task.id, fresh=True)
    worker = await hub.worker(task.id, attempt=2)
    await worker.claim()
    await worker.finish(status="failure", error_code="runtime_crashed")
    order = await (await hub.worker(task.id, attempt=3)).claim()
    assert "sessionId" not in order["resume"]


async def test_a_retry_clears_the_end_and_keeps_the_start(hub: PlayedHub) -> None:
    task = await hub.ended()
    again = await hub.client.retry(task.id)
    assert (again.result, again.finished_at) == (None, None)
    assert again.started_at == task.started_at


async def test_a_retry_is_an_event(hub: PlayedHub) -> None:
    task = await hub.ended()
    again = await hub.client.retry(task.id)
    (event,) = (await hub.client.event_history(task_id=task.id, types=["task_retried"])).events
    assert (event.seq, event.payload["attempt"]) == (again.seq, 2)


async def test_dependents_that_were_cancelled_for_it_revive(hub: PlayedHub) -> None:
    first, worker = await hub.running()
    second, third = await hub.client.submit_batch(
        [
            {"prompt": "second", "name": "second", "dependsOn": [first.id]},
            {"prompt": "third", "dependsOn": ["second"]},
        ]
    )
    await worker.finish(status="failure")
    await hub.client.retry(first.id)
    for task in (second, third):
        assert (await hub.client.task(task.id)).status == "pending"
    worker = await hub.worker(first.id, attempt=2)
    await worker.claim()
    await worker.finish()
    await hub.worker(second.id)


async def test_a_dependent_that_was_cancelled_by_hand_stays_cancelled(hub: PlayedHub) -> None:
    first, worker = await hub.running()
    second = await hub.client.submit({"prompt": "second", "dependsOn": [first.id]})
    await hub.client.cancel(second.id)
    await worker.finish(status="failure")
    await hub.client.retry(first.id)
    assert (await hub.client.task(second.id)).status == "cancelled"


async def test_a_dependent_of_two_failures_revives_with_the_second_retry(hub: PlayedHub) -> None:
    a, worker_a = await hub.running()
    b, worker_b = await hub.running()
    c = await hub.client.submit({"prompt": "c", "dependsOn": [a.id, b.id]})
    await worker_a.finish(status="failure")
    await worker_b.finish(status="failure")
    await hub.client.retry(a.id)
    assert (await hub.client.task(c.id)).status == "cancelled"
    await hub.client.retry(b.id)
    assert (await hub.client.task(c.id)).status == "pending"


async def test_a_task_whose_dependency_is_still_failed_is_not_retried_before_it(hub: PlayedHub) -> None:
    first, worker = await hub.running()
    second = await hub.client.submit({"prompt": "second", "dependsOn": [first.id]})
    await worker.finish(status="failure")
    assert_problem(await hub.post(f"/api/tasks/{second.id}/retry"), 409, "dependency_failed")


@pytest.mark.parametrize("code", ["runtime_crashed", "out_of_memory"])
async def test_a_crash_of_the_runtime_costs_an_attempt_while_there_are_any(hub: PlayedHub, code: str) -> None:
    task, worker = await hub.running(maxAttempts=2)
    await worker.finish(status="failure", error_code=code)
    worker = await hub.worker(task.id, attempt=2)
    await worker.claim()
    await worker.finish(status="failure", error_code=code)
    ended = await hub.client.task(task.id)
    assert (ended.status, ended.attempts) == ("failed", 2)
    assert ended.result is not None
    assert ended.result.error is not None
    assert ended.result.error.code == code


async def test_a_lost_worker_costs_an_attempt(hub: PlayedHub) -> None:
    task, worker = await hub.running(maxAttempts=2)
    hub.stage.ended[worker.agent_id] = Observation("lost", detail="the machine went away")
    await hub.worker(task.id, attempt=2)
    assert (await hub.client.agent(worker.agent_id)).status == "lost"


async def test_a_worker_lost_at_the_last_attempt_fails_its_task_with_the_reason(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    hub.stage.ended[worker.agent_id] = Observation("exited", 137, "killed by signal 9")
    ended = await hub.client.wait(task.id)
    assert ended.result is not None
    assert ended.result.error is not None
    assert (ended.status, ended.result.error.code) == ("failed", "worker_lost")
    assert ended.result.error.message == "killed by signal 9"


@pytest.mark.parametrize("code", ["verify_failed", "timeout", "api_error", "agent_failed", "max_turns"])
async def test_other_failures_are_final_whatever_attempts_are_left(hub: PlayedHub, code: str) -> None:
    task = await hub.ended(error_code=code, maxAttempts=3)
    assert (task.status, task.attempts) == ("failed", 1)


async def test_a_retry_by_hand_has_all_its_attempts_again(hub: PlayedHub) -> None:
    task, worker = await hub.running(maxAttempts=2)
    for attempt in (1, 2):
        worker = await hub.worker(task.id, attempt)
        await worker.claim()
        await worker.finish(status="failure", error_code="runtime_crashed")
    await hub.client.retry(task.id)
    worker = await hub.worker(task.id, attempt=3)
    await worker.claim()
    await worker.finish(status="failure", error_code="runtime_crashed")
    await hub.worker(task.id, attempt=4)


async def test_a_retry_goes_on_numbering_the_log(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.report(*[LogReport(stream="agent", text=text) for text in ("one", "two")])
    await worker.finish(status="failure")
    await hub.client.retry(task.id)
    worker = await hub.worker(task.id, attempt=2)
    await worker.claim()
    await worker.report(LogReport(stream="agent", text="three"))
    lines = (await hub.client.logs(task.id)).lines
    assert [(line.seq, line.text) for line in lines] == [(1, "one"), (2, "two"), (3, "three")]
    assert lines[0].agent_id != lines[2].agent_id
