"""`dependsOn`: a task waits for all it names, and ends with them when they fail."""

import pytest

from hub.played import PlayedHub
from swarm_api.errors import InvalidInput


async def test_a_dependent_says_that_it_waits(hub: PlayedHub) -> None:
    first = await hub.client.submit({"prompt": "first", "hold": True})
    second = await hub.client.submit({"prompt": "second", "dependsOn": [first.id]})
    assert [why.reason for why in second.blocked_by] == ["dependency"]


async def test_a_dependent_starts_once_all_it_depends_on_has_completed(hub: PlayedHub) -> None:
    a, worker_a = await hub.running(prompt="a")
    b, worker_b = await hub.running(prompt="b")
    c = await hub.client.submit({"prompt": "c", "dependsOn": [a.id, b.id]})
    await worker_a.finish()
    assert (await hub.client.task(c.id)).blocked_by[0].detail == "a dependency has not completed"
    await worker_b.finish()
    await (await hub.worker(c.id)).claim()
    assert (await hub.client.task(c.id)).status == "running"


async def test_a_dependency_that_has_completed_already_holds_nothing_up(hub: PlayedHub) -> None:
    first = await hub.ended("success")
    second = await hub.client.submit({"prompt": "second", "dependsOn": [first.id]})
    assert second.blocked_by == []
    await hub.worker(second.id)


async def test_a_dependency_named_twice_counts_once(hub: PlayedHub) -> None:
    first, worker = await hub.running()
    second = await hub.client.submit({"prompt": "second", "dependsOn": [first.id, first.id]})
    await worker.finish()
    await hub.worker(second.id)


async def test_tasks_of_a_batch_depend_on_each_other_by_name_in_any_order(hub: PlayedHub) -> None:
    last, first = await hub.client.submit_batch(
        [
            {"prompt": "last", "dependsOn": ["the first"]},
            {"prompt": "first", "name": "the first"},
        ]
    )
    assert last.depends_on == [first.id]
    await (await hub.worker(first.id)).claim()
    assert (await hub.client.task(last.id)).status == "pending"


@pytest.mark.parametrize("status", ["failure", "timeout", "budget", "cancelled"])
async def test_dependents_at_any_distance_end_when_a_task_does_not_complete(hub: PlayedHub, status: str) -> None:
    first, worker = await hub.running()
    second, third = await hub.client.submit_batch(
        [
            {"prompt": "second", "name": "second", "dependsOn": [first.id]},
            {"prompt": "third", "dependsOn": ["second"]},
        ]
    )
    await worker.finish(status=status)
    for task in (second, third):
        ended = await hub.client.task(task.id)
        assert ended.status == "cancelled"
        assert ended.result is not None
        assert ended.result.error is not None
        assert ended.result.error.code == "dependency_failed"
        assert ended.attempts == 0


async def test_the_end_of_a_dependent_is_an_event_that_names_the_cause(hub: PlayedHub) -> None:
    first, worker = await hub.running()
    second = await hub.client.submit({"prompt": "second", "dependsOn": [first.id]})
    await worker.finish(status="failure")
    (event,) = (await hub.client.event_history(task_id=second.id, types=["task_cancelled"])).events
    assert event.payload["cause"] == first.id
    assert event.payload["error"]["code"] == "dependency_failed"


async def test_a_cancelled_task_takes_its_dependents_along(hub: PlayedHub) -> None:
    first = await hub.client.submit({"prompt": "first", "hold": True})
    second = await hub.client.submit({"prompt": "second", "dependsOn": [first.id]})
    await hub.client.cancel(first.id)
    assert (await hub.client.task(second.id)).status == "cancelled"


@pytest.mark.parametrize("status", ["failure", "cancelled"])
async def test_a_task_that_has_failed_or_was_cancelled_cannot_be_depended_on(hub: PlayedHub, status: str) -> None:
    first = await hub.ended(status)
    with pytest.raises(InvalidInput) as refused:
        await hub.client.submit({"prompt": "second", "dependsOn": [first.id]})
    assert refused.value.data["errors"][0]["loc"] == "dependsOn.0"


async def test_a_thousand_dependents_in_a_row_end_with_the_first(hub: PlayedHub) -> None:
    tasks = [{"prompt": "first", "name": "0", "hold": True}]
    tasks += [{"prompt": f"{i}", "name": f"{i}", "dependsOn": [f"{i - 1}"]} for i in range(1, 1_000)]
    row = await hub.client.submit_batch(reversed(tasks))
    await hub.client.cancel(row[-1].id)
    assert (await hub.client.tasks(status="cancelled")).total == 1_000
    await hub.client.retry(row[-1].id)
    assert (await hub.client.tasks(status="cancelled")).total == 0
