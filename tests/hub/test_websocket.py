"""`/ws`: the journal as a WebSocket, one message for each event."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from hub.following import forget, happen, receive, socket
from hub.played import LIMIT, PlayedHub
from swarm_hub.routes import socket as route


async def seqs(connection: ClientConnection, count: int) -> list[int]:
    return [(await receive(connection))["seq"] for _ in range(count)]


async def closed(connection: ClientConnection) -> tuple[int, str]:
    """Code and reason with which the hub closes, whatever it sends before."""
    async with asyncio.timeout(LIMIT):
        await connection.wait_closed()
    return connection.close_code or 0, connection.close_reason or ""


async def until_closed(connection: ClientConnection) -> AsyncIterator[str | bytes]:
    try:
        while True:
            yield await connection.recv()
    except ConnectionClosed:
        return


async def test_a_message_is_an_event(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    async with socket(hub, "?after=0") as ws:
        event = await receive(ws)
    assert event.keys() == {"seq", "type", "payload", "timestamp"}
    assert (event["seq"], event["type"], event["payload"]["taskId"]) == (task.seq, "task_created", task.id)


async def test_after_replays_what_came_since_and_goes_on_live(hub: PlayedHub) -> None:
    past = await happen(hub, 5)
    async with socket(hub, f"?after={past[1]}") as ws:
        assert await seqs(ws, 3) == past[2:]
        assert await happen(hub, 2) == await seqs(ws, 2)


async def test_without_a_cursor_a_follower_sees_what_happens_from_now_on(hub: PlayedHub) -> None:
    past = await happen(hub, 3)
    async with socket(hub) as ws, asyncio.timeout(LIMIT):
        first = asyncio.create_task(receive(ws))
        while not first.done():  # the answer to a handshake is not yet the beginning of following
            await happen(hub)
    assert first.result()["seq"] > past[-1]


async def test_a_follower_that_keeps_reconnecting_sees_every_event_once_and_in_order(hub: PlayedHub) -> None:
    async def submit() -> list[int]:
        return [seq for _ in range(40) for seq in await happen(hub, 3)]

    happening, seen = asyncio.create_task(submit()), [0]
    async with asyncio.timeout(LIMIT):
        while len(seen) <= 120:
            async with socket(hub, f"?after={seen[-1]}") as ws:
                seen += await seqs(ws, min(7, 121 - len(seen)))
    assert seen[1:] == await happening


async def test_types_and_a_task_id_select(hub: PlayedHub) -> None:
    task = await hub.ended("success")
    await hub.ended("success")
    async with socket(hub, f"?after=0&types=task_created,task_completed&taskId={task.id}") as ws:
        events = [await receive(ws) for _ in range(2)]
    assert [event["type"] for event in events] == ["task_created", "task_completed"]
    assert {event["payload"]["taskId"] for event in events} == {task.id}


async def test_of_the_subprotocols_only_swarm_v1_is_echoed(hub: PlayedHub) -> None:
    async with socket(hub, subprotocols=["swarm.v1", "bearer.some-token"]) as ws:
        assert ws.subprotocol == "swarm.v1"


@pytest.mark.parametrize(
    "query",
    [
        "?after=-1", "?after=x", "?after=" + "9" * 30, "?types=poem", "?types=" + "%C3%A9" * 200, "?colour=red",
        "?taskId=nope", "?limit=5",
    ],
)  # fmt: skip
async def test_a_query_nobody_can_mean_is_closed_with_4400_and_the_reason(hub: PlayedHub, query: str) -> None:
    async with socket(hub, query) as ws:
        code, reason = await closed(ws)
    assert code == 4400
    assert query[1:].split("=")[0] in reason


async def test_a_cursor_older_than_what_is_kept_is_closed_with_4410_and_told_where_to_begin(hub: PlayedHub) -> None:
    past = await happen(hub, 5)
    await forget(hub, past[3])
    async with socket(hub, f"?after={past[1]}") as ws:
        code, reason = await closed(ws)
    assert (code, json.loads(reason)) == (4410, {"oldestSeq": past[3]})


async def test_a_cursor_this_hub_never_gave_is_closed_with_4410(hub: PlayedHub) -> None:
    past = await happen(hub, 2)
    async with socket(hub, f"?after={past[-1] + 1}") as ws:
        code, reason = await closed(ws)
    assert (code, json.loads(reason)) == (4410, {"oldestSeq": past[0]})


async def test_a_client_too_slow_is_closed_with_4008_and_can_resume(
    hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "SLOW", 0)
    async with socket(hub, "?after=0", max_queue=1) as ws:
        await happen(hub, 1_000, repo=f"o/{'r' * 4_000}")  # four megabytes that nobody reads
        seen = [json.loads(message)["seq"] async for message in until_closed(ws)]
    assert ws.close_code == 4008
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) < 1_000
    monkeypatch.undo()
    async with socket(hub, f"?after={seen[-1]}") as ws:
        assert await seqs(ws, 1_000 - len(seen)) == list(range(len(seen) + 1, 1_001))


async def test_a_ping_is_answered(hub: PlayedHub) -> None:
    async with socket(hub) as ws, asyncio.timeout(LIMIT):
        await (await ws.ping())


async def test_what_a_client_says_changes_nothing(hub: PlayedHub) -> None:
    async with socket(hub, "?after=0") as ws:
        for message in ("hello", b"\xff", '{"cancel": true}'):
            await ws.send(message)
        assert await happen(hub) == await seqs(ws, 1)


async def test_a_hundred_followers_all_see_the_same(hub: PlayedHub) -> None:
    async def follow(ready: asyncio.Semaphore) -> list[int]:
        async with socket(hub, "?after=0") as ws:
            first = await seqs(ws, 1)
            ready.release()
            return first + await seqs(ws, 20)

    (past,) = await happen(hub)
    ready = asyncio.Semaphore(0)
    async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as group:
        followers = [group.create_task(follow(ready)) for _ in range(100)]
        for _ in followers:
            await ready.acquire()
        happened = [seq for _ in range(10) for seq in await happen(hub, 2)]
    assert all(follower.result() == [past, *happened] for follower in followers)


async def test_the_end_of_the_hub_closes_a_socket_so_that_its_client_resumes(hub: PlayedHub) -> None:
    async with socket(hub, "?after=0") as ws:
        assert await happen(hub) == await seqs(ws, 1)
        hub.parts.close()
        code, _ = await closed(ws)
    assert code == 1012


async def test_there_is_no_socket_at_another_path(hub: PlayedHub) -> None:
    with pytest.raises(Exception, match="403"):
        async with socket(hub, "/nothing"):
            pass
