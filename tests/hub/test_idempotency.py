"""`Idempotency-Key`: the same request sent again does nothing again, and is answered the same."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import update

from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_hub.store import schema

KEY = {"Idempotency-Key": "k-1"}
BODY = {"prompt": "Go", "hold": True}


async def test_the_same_key_and_body_give_the_same_answer_and_one_task(hub: PlayedHub) -> None:
    first = await hub.post("/api/tasks", BODY, **KEY)
    again = await hub.post("/api/tasks", BODY, **KEY)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (await hub.client.tasks()).total == 1


async def test_a_batch_is_repeated_as_a_whole(hub: PlayedHub) -> None:
    first = await hub.post("/api/tasks", {"tasks": [BODY] * 3}, **KEY)
    again = await hub.post("/api/tasks", {"tasks": [BODY] * 3}, **KEY)
    assert again.json() == first.json()
    assert (await hub.client.tasks()).total == 3


async def test_a_body_is_the_same_however_it_is_written(hub: PlayedHub) -> None:
    first = await hub.post("/api/tasks", BODY, **KEY)
    other = json.dumps(dict(reversed(BODY.items())), indent=4)
    again = await hub.http.post("/api/tasks", content=other, headers={**KEY, "Content-Type": "application/json"})
    assert again.json() == first.json()


async def test_the_same_key_with_another_body_is_refused(hub: PlayedHub) -> None:
    await hub.post("/api/tasks", BODY, **KEY)
    assert_problem(await hub.post("/api/tasks", {**BODY, "prompt": "Stop"}, **KEY), 409, "idempotency_conflict")


async def test_a_key_counts_for_its_path_alone(hub: PlayedHub) -> None:
    task = (await hub.post("/api/tasks", BODY, **KEY)).json()
    assert (await hub.post(f"/api/execute/{task['id']}", **KEY)).status_code == 202


async def test_without_a_key_each_request_counts(hub: PlayedHub) -> None:
    await hub.post("/api/tasks", BODY)
    await hub.post("/api/tasks", BODY)
    assert (await hub.client.tasks()).total == 2


async def test_what_was_refused_is_not_remembered(hub: PlayedHub) -> None:
    task = await hub.client.submit(BODY)
    refused = await hub.post(f"/api/tasks/{task.id}/retry", {}, **KEY)
    assert refused.status_code == 409
    await hub.client.cancel(task.id)
    assert (await hub.post(f"/api/tasks/{task.id}/retry", {}, **KEY)).status_code == 202


async def test_an_execute_starts_one_agent_however_often_it_is_sent(hub: PlayedHub) -> None:
    task = await hub.client.submit(BODY)
    first = await hub.post(f"/api/execute/{task.id}", **KEY)
    again = await hub.post(f"/api/execute/{task.id}", **KEY)
    assert (again.status_code, again.json()) == (202, first.json())
    assert (await hub.client.task(task.id)).attempts == 1


async def test_an_execute_of_all_is_answered_the_same(hub: PlayedHub) -> None:
    await hub.client.submit(BODY)
    first = await hub.post("/api/execute/batch", **KEY)
    await hub.client.submit(BODY)
    assert (await hub.post("/api/execute/batch", **KEY)).json() == first.json()


async def test_a_retry_counts_once(hub: PlayedHub) -> None:
    task = await hub.ended()
    first = await hub.post(f"/api/tasks/{task.id}/retry", {"fresh": True}, **KEY)
    worker = await hub.worker(task.id, attempt=2)
    await worker.claim()
    await worker.finish(status="failure")
    again = await hub.post(f"/api/tasks/{task.id}/retry", {"fresh": True}, **KEY)
    assert again.json() == first.json()
    assert (await hub.client.task(task.id)).status == "failed"


async def test_duplicates_that_come_while_the_first_is_under_way_wait_for_it(hub: PlayedHub) -> None:
    answers = await asyncio.gather(*[hub.post("/api/tasks", BODY, **KEY) for _ in range(20)])
    assert {answer.content for answer in answers} == {answers[0].content}
    assert {answer.status_code for answer in answers} == {201}
    assert (await hub.client.tasks()).total == 1


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        first = await hub.post("/api/tasks", BODY, **KEY)
    async with played_hub(tmp_path) as hub:
        again = await hub.post("/api/tasks", BODY, **KEY)
        assert again.content == first.content
        assert (await hub.client.tasks()).total == 1


async def test_the_answer_stays_the_same_when_the_world_has_changed(hub: PlayedHub, repo: Path) -> None:
    first = await hub.post("/api/tasks", {**BODY, "repo": str(repo)}, **KEY)
    shutil.rmtree(repo)
    again = await hub.post("/api/tasks", {**BODY, "repo": str(repo)}, **KEY)
    assert again.content == first.content


@pytest.mark.parametrize("hours", [23, 25])
async def test_a_key_is_remembered_for_24_hours(tmp_path: Path, hours: int) -> None:
    async with played_hub(tmp_path) as hub:
        await hub.post("/api/tasks", BODY, **KEY)
        await age_answers(hub, hours)
        await hub.post("/api/tasks", BODY, **KEY)
        assert (await hub.client.tasks()).total == (1 if hours < 24 else 2)


async def age_answers(hub: PlayedHub, hours: int) -> None:
    earlier = update(schema.idempotency).values(at_ms=schema.idempotency.c.at_ms - hours * 3_600_000)
    await hub.parts.store.write(lambda tx: tx.execute(earlier).rowcount)
