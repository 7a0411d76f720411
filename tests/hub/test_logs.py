"""`GET /api/tasks/{id}/logs`: the log as pages, as text, and followed to its end."""

import asyncio

import pytest

from hub.following import stream
from hub.played import LIMIT, PlayedHub
from hub.reporting import line, numbered, texts
from swarm_api.worker import LogReport


async def test_lines_are_numbered_1_2_3_for_each_task(hub: PlayedHub) -> None:
    one, worker_one = await hub.running()
    two, worker_two = await hub.running()
    for _ in range(3):
        await worker_one.report(line("one"))
        await worker_two.report(line("two"))
    for task in (one, two):
        assert [found.seq for found in (await hub.client.logs(task.id)).lines] == [1, 2, 3]


async def test_a_task_without_a_line_has_an_empty_log(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    assert (await hub.get(f"/api/tasks/{task.id}/logs")).json() == {"lines": [], "nextAfter": 0}


async def test_pages_go_on_after_a_line(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.send(numbered(*range(1, 11)))
    first = await hub.client.logs(task.id, limit=4)
    second = await hub.client.logs(task.id, after=first.next_after, limit=100)
    assert [found.seq for found in first.lines + second.lines] == list(range(1, 11))
    last = await hub.client.logs(task.id, after=second.next_after)
    assert (last.lines, last.next_after) == ([], 10)


async def test_plain_text_is_the_whole_log_a_line_each(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    for begin in range(1, 3_001, 1_000):
        await worker.send(numbered(*range(begin, begin + 1_000)))
    answer = await hub.get(f"/api/tasks/{task.id}/logs", Accept="text/plain")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "".join(f"{n}\n" for n in range(1, 3_001))


async def test_plain_text_may_be_limited(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.send(numbered(1, 2, 3, 4))
    answer = await hub.get(f"/api/tasks/{task.id}/logs?after=1&limit=2", Accept="text/plain")
    assert answer.text == "2\n3\n"


@pytest.mark.parametrize("how", ["accept", "query"])
async def test_a_follower_sees_history_then_what_comes_then_the_end(hub: PlayedHub, how: str) -> None:
    task, worker = await hub.running()
    await worker.report(line("a"), line("b"))
    path = f"/api/tasks/{task.id}/logs" + ("?follow=true" if how == "query" else "")
    async with stream(hub, path) as log:
        assert [(await log.next())["text"] for _ in range(2)] == ["a", "b"]
        await worker.report(line("c"))
        assert (await log.next())["text"] == "c"
        await worker.finish()
        assert (await log.frame()).event == "end"
        with pytest.raises(StopAsyncIteration):
            await log.frame()


async def test_follow_is_enough_without_an_accept_header(hub: PlayedHub) -> None:
    task = await hub.ended("success")
    answer = await hub.get(f"/api/tasks/{task.id}/logs?follow=true", Accept="*/*")
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_the_log_of_a_task_that_has_ended_is_followed_to_its_end_at_once(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.report(line("a"))
    await worker.finish(status="failure")
    async with stream(hub, f"/api/tasks/{task.id}/logs") as log:
        assert (await log.next())["text"] == "a"
        assert (await log.frame()).event == "end"


async def test_a_follower_of_a_task_without_a_line_hears_its_end(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    async with stream(hub, f"/api/tasks/{task.id}/logs") as log:
        await hub.client.cancel(task.id)
        assert (await log.frame()).event == "end"


@pytest.mark.parametrize("how", ["after", "header"])
async def test_a_follower_resumes_after_a_line(hub: PlayedHub, how: str) -> None:
    task, worker = await hub.running()
    await worker.send(numbered(1, 2, 3))
    query, headers = ("?after=2", {}) if how == "after" else ("?after=0", {"Last_Event_ID": "2"})
    async with stream(hub, f"/api/tasks/{task.id}/logs{query}", **headers) as log:
        assert (await log.next())["seq"] == 3


async def test_a_follower_that_keeps_reconnecting_sees_every_line_once_and_in_order(hub: PlayedHub) -> None:
    task, worker = await hub.running()

    async def work() -> None:
        for n in range(1, 121, 3):
            await worker.send(numbered(n, n + 1, n + 2))

    working, seen = asyncio.create_task(work()), [0]
    async with asyncio.timeout(LIMIT):
        while len(seen) <= 120:
            async with stream(hub, f"/api/tasks/{task.id}/logs?after={seen[-1]}") as log:
                seen += await log.seqs(min(7, 121 - len(seen)))
    await working
    assert seen[1:] == list(range(1, 121))


async def test_more_than_the_hub_keeps_in_memory_is_followed_whole(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    async with stream(hub, f"/api/tasks/{task.id}/logs") as log:
        for begin in range(1, 5_001, 1_000):
            await worker.send(numbered(*range(begin, begin + 1_000)))
        assert await log.seqs(5_000) == list(range(1, 5_001))


async def test_many_followers_of_one_log_all_see_the_same(hub: PlayedHub) -> None:
    task, worker = await hub.running()

    async def follow() -> list[int]:
        return [found.seq async for found in hub.client.follow_logs(task.id)]

    async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as group:
        followers = [group.create_task(follow()) for _ in range(30)]
        await worker.send(numbered(*range(1, 51)))
        await worker.send(numbered(*range(51, 101)))
        worker.last = 100
        await worker.finish()
    assert all(follower.result() == list(range(1, 101)) for follower in followers)


async def test_a_retry_goes_on_numbering_and_a_follower_goes_on_with_it(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.report(line("first"))
    await worker.finish(status="failure")
    await hub.client.retry(task.id)
    async with stream(hub, f"/api/tasks/{task.id}/logs?after=1") as log:
        again = await hub.worker(task.id, attempt=2)
        await again.claim()
        await again.report(line("second"))
        found = await log.next()
    assert (found["seq"], found["text"], found["agentId"]) == (2, "second", again.agent_id)


async def test_a_follower_stays_through_the_hubs_own_retries(hub: PlayedHub) -> None:
    task, worker = await hub.running(maxAttempts=2)
    async with stream(hub, f"/api/tasks/{task.id}/logs") as log:
        await worker.report(line("first"))
        await worker.finish(status="failure", error_code="runtime_crashed")
        again = await hub.worker(task.id, attempt=2)
        await again.claim()
        await again.report(line("second"))
        assert [(await log.next())["text"] for _ in range(2)] == ["first", "second"]
        await again.finish()
        assert (await log.frame()).event == "end"


async def test_whatever_a_line_holds_stays_one_frame(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    text = "a\u2028b\u0085c\x00 data: x\tid: 7 \x1b[31m🐝"
    await worker.report(LogReport(stream="stdout", text=text, data={"k": "a\n\ndata: b"}))
    async with stream(hub, f"/api/tasks/{task.id}/logs") as log:
        found = await log.next()
    assert (found["text"], found["data"]) == (text, {"k": "a\n\ndata: b"})


async def test_the_end_of_the_hub_ends_a_stream_without_the_end_of_the_log(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.report(line("a"))
    async with stream(hub, f"/api/tasks/{task.id}/logs") as log:
        await log.next()
        hub.parts.close()
        with pytest.raises(StopAsyncIteration):
            await log.frame()


async def test_a_line_is_told_only_after_it_is_stored(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    async with stream(hub, f"/api/tasks/{task.id}/logs") as log:
        for n in range(1, 20):
            await worker.send(numbered(n))
            await log.next()
            assert (await texts(hub, task.id))[-1] == str(n)
