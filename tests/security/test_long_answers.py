"""An answer that takes long ends with the credential that asked for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from hub.played import LIMIT, PlayedHub, played_hub
from identity.asking import bearer, end_key, exchange, make_key, pass_time
from swarm_api.worker import LogReport
from swarm_hub.routes import streams
from waiting import until

DAY = 24 * 60 * 60
Rest = Callable[[], Awaitable[str]]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


@asynccontextmanager
async def following(hub: PlayedHub, path: str, token: str) -> AsyncIterator[Rest]:
    """A stream that waits for news; what is given reads it to its end."""
    if path == "/ws":
        url = f"{hub.url.replace('http', 'ws')}{path}"
        async with connect(url, proxy=None, additional_headers=bearer(token)) as socket:
            await waiting(hub, path)
            yield lambda: all_of(socket)
        return
    headers = {**bearer(token), "Accept": "text/event-stream"}
    async with hub.http.stream("GET", path, headers=headers) as answer:
        await waiting(hub, path)
        yield lambda: all_of(answer.aiter_text())


async def waiting(hub: PlayedHub, path: str) -> None:
    """Until the stream waits for something to happen."""
    logs, journal = hub.parts.logs._tails, hub.parts.journal._tail
    if "logs" in path:
        await until(lambda: any(tail._waiting for tail, _ in logs.values()))
    else:
        await until(lambda: journal._waiting)


async def all_of(parts: Any) -> str:
    seen: list[str] = []
    async with asyncio.timeout(LIMIT):
        with suppress(ConnectionClosed):
            async for part in parts:
                seen.append(part)  # noqa: PERF401  # what was seen before it was closed counts
    return "".join(seen)


async def test_a_log_as_text_goes_on_no_longer_and_says_so(hub: PlayedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    made, (task, worker) = await make_key(hub), await hub.running()
    await worker.report(*[LogReport(stream="agent", text=f"line {n}", elapsed_ms=0) for n in range(3)])
    read = streams._read_lines

    async def then_end(*asked: Any) -> Any:
        rows = await read(*asked)
        await end_key(hub, made["id"])
        return rows

    monkeypatch.setattr(streams, "_read_lines", then_end)
    monkeypatch.setattr(streams, "PAGE", 1)
    answer = await hub.get(f"/api/tasks/{task.id}/logs", Accept="text/plain", **bearer(made["key"]))
    assert answer.text == "line 0\n(the API key was revoked: this is not all)\n"


@pytest.mark.parametrize("path", ["/api/events", "/api/tasks/{}/logs?follow=true", "/ws"])
async def test_a_stream_that_waited_shows_nothing_of_what_came_after_its_end(hub: PlayedHub, path: str) -> None:
    """A credential's time runs out without waking anybody; the next news does."""
    token, (task, worker) = await exchange(hub, (await make_key(hub))["key"]), await hub.running()
    async with following(hub, path.format(task.id), token) as read:
        pass_time(hub, 8 * DAY)
        worker.headers["Authorization"] = f"Bearer {hub.token(worker.agent_id)}"
        await worker.report(LogReport(stream="agent", text="too late", elapsed_ms=0))
        await hub.client.submit({"prompt": "wait", "name": "too late", "hold": True})
        assert "too late" not in await read()
