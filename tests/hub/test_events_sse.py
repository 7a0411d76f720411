"""`GET /api/events`: the journal as server-sent events and as history."""

import asyncio
import re

import pytest

from hub.following import forget, happen, stream
from hub.played import LIMIT, PlayedHub
from hub.problems import assert_problem
from swarm_api.errors import Gone

EVENTS = "/api/events"


async def test_without_a_cursor_a_follower_sees_what_happens_from_now_on(hub: PlayedHub) -> None:
    await happen(hub, 3)
    async with stream(hub, EVENTS) as events:
        assert await happen(hub, 2) == await events.seqs(2)


async def test_an_event_has_seq_type_payload_and_timestamp(hub: PlayedHub) -> None:
    async with stream(hub, EVENTS) as events:
        task = await hub.client.submit({"prompt": "Go", "name": "a", "hold": True})
        event = await events.next()
    assert event.keys() == {"seq", "type", "payload", "timestamp"}
    assert (event["type"], event["payload"]["taskId"], event["payload"]["name"]) == ("task_created", task.id, "a")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["timestamp"])


async def test_after_replays_what_came_since_and_goes_on_live(hub: PlayedHub) -> None:
    past = await happen(hub, 5)
    async with stream(hub, f"{EVENTS}?after={past[1]}") as events:
        assert await events.seqs(3) == past[2:]
        assert await happen(hub, 2) == await events.seqs(2)


async def test_after_zero_replays_everything(hub: PlayedHub) -> None:
    past = await happen(hub, 5)
    async with stream(hub, f"{EVENTS}?after=0") as events:
        assert await events.seqs(5) == past


async def test_more_than_the_hub_keeps_in_memory_is_replayed_whole(hub: PlayedHub) -> None:
    past = [seq for _ in range(6) for seq in await happen(hub, 1_000)]
    async with stream(hub, f"{EVENTS}?after=0") as events:
        assert await events.seqs(len(past)) == past


async def test_last_event_id_is_newer_than_the_urls_after(hub: PlayedHub) -> None:
    past = await happen(hub, 5)
    async with stream(hub, f"{EVENTS}?after=0", Last_Event_ID=str(past[2])) as events:
        assert await events.seqs(2) == past[3:]


async def test_a_follower_that_keeps_reconnecting_sees_every_event_once_and_in_order(hub: PlayedHub) -> None:
    async def submit() -> list[int]:
        return [seq for _ in range(40) for seq in await happen(hub, 3)]

    happening, seen = asyncio.create_task(submit()), [0]
    async with asyncio.timeout(LIMIT):
        while len(seen) <= 120:
            async with stream(hub, f"{EVENTS}?after=0", Last_Event_ID=str(seen[-1])) as events:
                seen += await events.seqs(min(7, 121 - len(seen)))
    assert seen[1:] == await happening


async def test_seq_rises_by_one_with_every_event(hub: PlayedHub) -> None:
    await hub.ended("success")
    await hub.ended("failure")
    history = await hub.client.event_history(limit=1_000)
    assert [event.seq for event in reversed(history.events)] == list(range(1, len(history.events) + 1))


async def test_types_select(hub: PlayedHub) -> None:
    async with stream(hub, f"{EVENTS}?types=task_started,task_completed") as events:
        await hub.ended("success")
        assert [(await events.next())["type"] for _ in range(2)] == ["task_started", "task_completed"]


async def test_a_task_id_selects(hub: PlayedHub) -> None:
    mine = await hub.client.submit({"prompt": "mine", "hold": True})
    async with stream(hub, f"{EVENTS}?after=0&taskId={mine.id}") as events:
        await happen(hub, 3)
        await hub.client.cancel(mine.id)
        assert [(await events.next())["type"] for _ in range(2)] == ["task_created", "task_cancelled"]


async def test_a_stream_says_at_once_that_it_is_there(hub: PlayedHub) -> None:
    async with hub.http.stream("GET", EVENTS) as response, asyncio.timeout(LIMIT):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert (await anext(response.aiter_text())).startswith(":")


async def test_a_head_request_ends(hub: PlayedHub) -> None:
    answer = await hub.http.head(EVENTS)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_cursor_older_than_what_is_kept_is_gone_and_told_where_to_begin(hub: PlayedHub) -> None:
    past = await happen(hub, 5)
    await forget(hub, past[3])
    answer = await hub.get(f"{EVENTS}?after={past[1]}", Accept="text/event-stream")
    assert_problem(answer, 410, "gone")
    assert answer.json()["oldestSeq"] == past[3]
    async with stream(hub, f"{EVENTS}?after={past[2]}") as events:
        assert await events.seqs(2) == past[3:]


async def test_a_cursor_this_hub_never_gave_is_gone(hub: PlayedHub) -> None:
    """A hub that began anew would else hide what happens until it has come so far."""
    past = await happen(hub, 5)
    answer = await hub.get(f"{EVENTS}?after={past[-1] + 1}", Accept="text/event-stream")
    assert_problem(answer, 410, "gone")
    assert answer.json()["oldestSeq"] == past[0]
    with pytest.raises(Gone):
        await anext(hub.client.events(after=past[-1] + 1))


async def test_a_hundred_followers_all_see_the_same(hub: PlayedHub) -> None:
    async def follow(ready: asyncio.Semaphore) -> list[int]:
        async with stream(hub, EVENTS) as events:
            ready.release()
            return await events.seqs(20)

    ready = asyncio.Semaphore(0)
    async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as group:
        followers = [group.create_task(follow(ready)) for _ in range(100)]
        for _ in followers:
            await ready.acquire()
        happened = [seq for _ in range(10) for seq in await happen(hub, 2)]
    assert all(follower.result() == happened for follower in followers)


async def test_whatever_a_payload_holds_stays_one_frame(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    message = "one\ntwo\r\nthree\u2028four\u0085five \x00 data: x\n\nid: 7"
    async with stream(hub, f"{EVENTS}?types=task_failed") as events:
        await worker.finish(status="failure", error_code="agent_failed", error_message=message)
        assert (await events.next())["payload"]["error"]["message"] == message


async def test_the_life_of_a_task_in_events(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.finish(status="success", files_changed=["a.py"], branch="swarm/x")
    events = list(reversed((await hub.client.event_history(task_id=task.id)).events))
    assert [event.type for event in events] == [
        "task_created", "agent_spawned", "task_started", "agent_completed", "task_completed",
    ]  # fmt: skip
    assert all(event.payload["taskId"] == task.id for event in events)
    assert events[-1].payload.items() >= {
        "agentId": worker.agent_id, "status": "success", "filesChanged": ["a.py"], "costCents": 0,
    }.items()  # fmt: skip


async def test_history_is_newest_first_and_pages_backwards(hub: PlayedHub) -> None:
    past = await happen(hub, 25)
    seen: list[int] = []
    before = None
    while True:
        page = await hub.client.event_history(before=before, limit=10)
        seen += [event.seq for event in page.events]
        before = page.next_before
        if before is None:
            break
    assert seen == list(reversed(past))


async def test_history_may_be_selected(hub: PlayedHub) -> None:
    task = await hub.ended("success")
    await happen(hub, 3)
    page = await hub.client.event_history(types=["task_created", "task_completed"], task_id=task.id)
    assert [event.type for event in page.events] == ["task_completed", "task_created"]


async def test_the_end_of_the_hub_ends_a_stream(hub: PlayedHub) -> None:
    async with stream(hub, EVENTS) as events:
        hub.parts.close()
        with pytest.raises(StopAsyncIteration):
            await events.frame()
