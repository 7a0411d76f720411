"""A stream that is followed over a line that breaks gives every item once, in order."""

import random
from contextlib import aclosing

import pytest

from client.cutting import cutting
from client.saying import HANG_UP, SSE, answer, saying
from hub.played import PlayedHub, Worker
from hubs import ADMIN_KEY
from swarm_api.client import HubClient
from swarm_api.errors import Gone, HubUnreachable, NotFound, SwarmError
from swarm_api.events import Event
from swarm_api.worker import LogReport, ResultReport

LINES = 300
HEAD = 800  # bytes within which an answer has begun and an item come
QUEUE = b'{"pending":0,"ready":0,"blocked":{},"running":0,"capacity":1,"byPriority":{},"oldestReadySeconds":0,"seq":5}'


async def spoken(worker: Worker, count: int) -> None:
    for start in range(0, count, 50):
        await worker.report(*(LogReport(stream="agent", text=f"line {n}") for n in range(start + 1, start + 51)))


@pytest.mark.parametrize("seed", range(4))
async def test_log_lines_come_once_and_in_order_over_a_line_that_breaks(hub: PlayedHub, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  # a test that fails is run again with its seed
    task, worker = await hub.running()
    await spoken(worker, LINES)
    await worker.report(ResultReport(status="success"))
    cuts = [draw.randrange(HEAD, 12_000) for _ in range(8)]
    async with cutting(hub.url, cuts) as proxy, HubClient(proxy.url, ADMIN_KEY) as client:
        lines = [line async for line in client.follow_logs(task.id)]
    assert [line.seq for line in lines] == list(range(1, LINES + 1))
    assert proxy.connections > 1


@pytest.mark.parametrize("seed", range(4))
async def test_events_come_once_and_in_order_over_a_line_that_breaks(hub: PlayedHub, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  # a test that fails is run again with its seed
    tasks = await hub.client.submit_batch([{"prompt": "Work", "hold": True}] * 20)
    for task in tasks:
        await hub.client.cancel(task.id)
    stored = (await hub.client.event_history(limit=1_000)).events
    cuts = [draw.randrange(HEAD, 3_000) for _ in range(8)]
    seen: list[Event] = []
    async with (
        cutting(hub.url, cuts) as proxy,
        HubClient(proxy.url, ADMIN_KEY) as client,
        aclosing(client.events(after=0)) as events,
    ):
        while len(seen) < len(stored):
            seen.append(await anext(events))
    assert seen == stored[::-1]
    assert proxy.connections > 1


async def test_events_from_now_on_have_no_gap_although_the_line_breaks_before_the_first() -> None:
    """Where "now" is, is asked for once; each stream then goes on from there."""
    event = b'data: {"seq":6,"type":"task_created","payload":{},"timestamp":"2026-02-01T12:00:00Z"}\n\n'
    async with (
        saying(answer(200, QUEUE), answer(200, b": hello\n\n", SSE), answer(200, event, SSE)) as server,
        HubClient(server.url) as client,
        aclosing(client.events()) as events,
    ):
        assert (await anext(events)).seq == 6
        assert [request.split()[1] for request in server.requests[1:]] == ["/api/events?after=5"] * 2


async def test_a_stream_says_when_it_is_lost_and_when_it_is_back() -> None:
    end = answer(200, b"event: end\ndata: {}\n\n", SSE)
    told: list[str | None] = []
    async with (
        saying(answer(200, b": hello\n\n", SSE), HANG_UP, answer(503), end) as server,
        HubClient(server.url, on_trouble=lambda error: told.append(error.code if error else None)) as client,
    ):
        assert [line async for line in client.follow_logs("tsk_1")] == []
    assert told == [None, "hub_unreachable", "unavailable", None]


async def test_a_stream_that_the_hub_ends_and_gives_again_is_no_trouble() -> None:
    """So it ends them when a token has run out."""
    end = answer(200, b"event: end\ndata: {}\n\n", SSE)
    told: list[SwarmError | None] = []
    async with (
        saying(answer(200, b": hello\n\n", SSE), answer(200, b": hello\n\n", SSE), end) as server,
        HubClient(server.url, on_trouble=told.append) as client,
    ):
        assert [line async for line in client.follow_logs("tsk_1")] == []
    assert told == [None, None, None]


async def test_a_stream_gives_up_when_the_hub_refuses() -> None:
    gone = answer(410, b'{"code":"gone","detail":"too old","oldestSeq":7}', "application/problem+json")
    async with saying(answer(200, b": hello\n\n", SSE), gone) as server, HubClient(server.url) as client:
        with pytest.raises(Gone) as refused:
            await anext(client.events(after=1))
    assert refused.value.data == {"oldestSeq": 7}


async def test_a_stream_that_never_began_is_not_tried_again() -> None:
    async with saying(answer(503)) as server, HubClient(server.url) as client:
        with pytest.raises(SwarmError):
            await anext(client.follow_logs("tsk_1"))
        assert len(server.requests) == 1


async def test_following_without_a_hub_fails_at_once(unused_tcp_port: int) -> None:
    async with HubClient(f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(HubUnreachable):
            await anext(client.follow_logs("tsk_1"))


async def test_the_log_of_no_task_is_not_found(hub: PlayedHub) -> None:
    with pytest.raises(NotFound):
        await anext(hub.client.follow_logs("tsk_0000000000000000"))
