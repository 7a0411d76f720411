"""`POST /api/execute/…`: starting by hand, out of turn and whether held or not."""

import asyncio
from pathlib import Path

from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem


async def test_a_held_task_is_started(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    answer = await hub.post(f"/api/execute/{task.id}")
    assert answer.status_code == 202
    agent = answer.json()
    assert (agent["status"], agent["currentTask"]) == ("starting", task.id)
    assert (await hub.worker(task.id)).agent_id == agent["id"]


async def test_an_agents_start_is_the_time_of_its_claim_and_never_null(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    agent = (await hub.post(f"/api/execute/{task.id}")).json()
    assert agent["startedAt"].endswith("Z")


async def test_a_task_that_waits_for_another_cannot_start_and_says_why(hub: PlayedHub) -> None:
    first = await hub.client.submit({"prompt": "first", "hold": True})
    second = await hub.client.submit({"prompt": "second", "dependsOn": [first.id], "hold": True})
    answer = await hub.post(f"/api/execute/{second.id}")
    assert_problem(answer, 409, "blocked")
    assert [why["reason"] for why in answer.json()["blockedBy"]] == ["dependency"]


async def test_a_task_that_cannot_start_stays_held(hub: PlayedHub) -> None:
    first, worker = await hub.running()
    second = await hub.client.submit({"prompt": "second", "dependsOn": [first.id], "hold": True})
    await hub.post(f"/api/execute/{second.id}")
    await worker.finish()
    assert [why.reason for why in (await hub.client.task(second.id)).blocked_by] == ["hold"]


async def test_a_running_task_is_not_started_again(hub: PlayedHub) -> None:
    task, _ = await hub.running()
    assert_problem(await hub.post(f"/api/execute/{task.id}"), 409, "task_running")


async def test_a_task_that_has_ended_is_not_started_again(hub: PlayedHub) -> None:
    task = await hub.ended("success")
    assert_problem(await hub.post(f"/api/execute/{task.id}"), 409, "task_finished")


async def test_no_task_starts_beyond_the_capacity(tmp_path: Path) -> None:
    async with played_hub(tmp_path, max_parallel_agents=1) as hub:
        await hub.running()
        task = await hub.client.submit({"prompt": "second", "hold": True})
        answer = await hub.post(f"/api/execute/{task.id}")
        assert_problem(answer, 409, "blocked")
        assert [why["reason"] for why in answer.json()["blockedBy"]] == ["capacity"]


async def test_of_many_executes_at_once_one_starts_an_agent(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    answers = await asyncio.gather(*[hub.post(f"/api/execute/{task.id}") for _ in range(20)])
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 19
    assert len((await hub.client.agents()).agents) == 1


async def test_a_batch_starts_all_that_can_start_and_names_the_rest(tmp_path: Path) -> None:
    async with played_hub(tmp_path, max_parallel_agents=2) as hub:
        tasks = await hub.client.submit_batch(
            [
                {"prompt": "high", "hold": True, "priority": "high", "name": "high"},
                {"prompt": "waits", "hold": True, "dependsOn": ["high"]},
                {"prompt": "low", "hold": True, "priority": "low"},
                {"prompt": "normal", "hold": True},
            ]
        )
        high, waits, low, normal = (task.id for task in tasks)
        executed = await hub.client.execute_all()
        assert {agent.current_task for agent in executed.started} == {high, normal}
        blocked = {task.task_id: [why.reason for why in task.blocked_by] for task in executed.blocked}
        assert blocked == {waits: ["dependency"], low: ["capacity"]}


async def test_a_batch_with_nothing_to_start_is_empty(hub: PlayedHub) -> None:
    executed = await hub.client.execute_all()
    assert (executed.started, executed.blocked) == ([], [])
