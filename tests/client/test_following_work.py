"""Waiting for tasks, and reading all there is."""

import asyncio

from hub.played import PlayedHub
from swarm_api.worker import LogReport


async def test_waiting_ends_with_the_task(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    waiting = asyncio.create_task(hub.client.wait(task.id))
    await worker.finish(summary="Done")
    ended = await waiting
    assert ended.status == "completed"
    assert ended.result is not None
    assert ended.result.summary == "Done"


async def test_waiting_for_what_has_ended_returns_at_once(hub: PlayedHub) -> None:
    task = await hub.ended()
    assert await hub.client.wait(task.id) == task


async def test_waiting_goes_on_through_a_retry(hub: PlayedHub) -> None:
    task = await hub.ended()
    await hub.client.retry(task.id)
    waiting = asyncio.create_task(hub.client.wait(task.id))
    worker = await hub.worker(task.id, attempt=2)
    await worker.claim()
    await worker.finish()
    assert (await waiting).status == "completed"


async def test_all_tasks_come_over_all_pages_newest_first(hub: PlayedHub) -> None:
    tasks = await hub.client.submit_batch([{"prompt": f"Work {n}", "hold": True} for n in range(25)])
    found = [task.id async for task in hub.client.all_tasks(limit=10)]
    assert found == [task.id for task in reversed(tasks)]


async def test_filters_hold_on_every_page(hub: PlayedHub) -> None:
    work = [{"prompt": "Work", "hold": True, "labels": {"team": "ab"[n % 2]}} for n in range(10)]
    await hub.client.submit_batch(work)
    found = [task async for task in hub.client.all_tasks(label="team=a", status="pending", limit=2)]
    assert [task.labels for task in found] == [{"team": "a"}] * 5


async def test_a_log_is_read_page_by_page(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.report(*(LogReport(stream="stdout", text=f"{n}") for n in range(5)))
    page = await hub.client.logs(task.id, limit=3)
    rest = await hub.client.logs(task.id, after=page.next_after)
    assert [line.text for line in [*page.lines, *rest.lines]] == ["0", "1", "2", "3", "4"]


async def test_history_is_newest_first_and_goes_on_before(hub: PlayedHub) -> None:
    await hub.client.submit_batch([{"prompt": "Work", "hold": True}] * 3)
    newest = await hub.client.event_history(limit=2)
    oldest = await hub.client.event_history(before=newest.next_before)
    assert [event.seq for event in [*newest.events, *oldest.events]] == [3, 2, 1]


async def test_a_held_task_is_started_by_execute(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Work", "hold": True})
    agent = await hub.client.execute(task.id)
    assert agent.current_task == task.id
    assert await hub.client.agent(agent.id) == agent


async def test_execute_all_starts_what_is_held_and_not_what_waits_for_another(hub: PlayedHub) -> None:
    held = await hub.client.submit({"prompt": "Work", "hold": True})
    waiting = await hub.client.submit({"prompt": "Work", "dependsOn": [held.id]})
    executed = await hub.client.execute_all()
    assert [agent.current_task for agent in executed.started] == [held.id]
    assert [task.task_id for task in executed.blocked] == [waiting.id]
