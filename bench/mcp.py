"""MCP: what a tool costs above the call of the API behind it, and what is left of many clients."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from bench.figures import Figure, percentile
from bench.hub import AUTHORIZED, Hub, running

CLIENTS = 20
CALLS = 50
TASKS = 200
VERSION = "2026-07-28"
ARGUMENTS = {"limit": 20}
HEADERS = {
    **AUTHORIZED, "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": VERSION,
    "Mcp-Method": "tools/call", "Mcp-Name": "swarm_tasks",
}  # fmt: skip
_META = "io.modelcontextprotocol/"
CALL = {
    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {
        "name": "swarm_tasks", "arguments": ARGUMENTS,
        "_meta": {f"{_META}protocolVersion": VERSION, f"{_META}clientCapabilities": {},
                  f"{_META}clientInfo": {"name": "bench", "version": "1"}},
    },
}  # fmt: skip
Call = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def measure(folder: Path) -> Iterator[Figure]:
    with running(folder) as hub:
        first = asyncio.run(_prepare(hub))
        asyncio.run(_all(hub, _tool))  # what is allocated once is there
        before = hub.process.memory_info().rss
        rest, tool = asyncio.run(_all(hub, _rest)), asyncio.run(_all(hub, _tool))
        for _ in range(4):
            asyncio.run(_all(hub, _tool))
        grown = hub.process.memory_info().rss - before
    yield Figure("mcp: first call, with its imports", first, "s")
    yield Figure("mcp: REST behind it, p50", percentile(rest, 50) * 1000, "ms")
    yield Figure("mcp: a tool, p50", percentile(tool, 50) * 1000, "ms")
    yield Figure("mcp: REST behind it, p99", percentile(rest, 99) * 1000, "ms")
    yield Figure("mcp: a tool, p99", percentile(tool, 99) * 1000, "ms")
    yield Figure("mcp: a tool's p99 to REST's", percentile(tool, 99) / percentile(rest, 99), "times", at_most=2)
    yield Figure(f"mcp: growth over {5 * CLIENTS * CALLS:,} calls", grown / 2**20, "MiB", at_most=5)


async def _prepare(hub: Hub) -> float:
    """A list worth showing; and the seconds of the first call."""
    tasks = [{"prompt": f"Task {number}", "hold": True} for number in range(TASKS)]
    async with _client(hub) as client:
        answer = await client.post("/api/tasks", json={"tasks": tasks}, headers=AUTHORIZED)
        assert answer.status_code == 201, answer.text
        begin = time.perf_counter()
        await _tool(client)
        return time.perf_counter() - begin


async def _all(hub: Hub, call: Call) -> list[float]:
    """Seconds of each call of all clients, which call at the same time."""
    return [took for each in await asyncio.gather(*(_one(hub, call) for _ in range(CLIENTS))) for took in each]


async def _one(hub: Hub, call: Call) -> list[float]:
    took = []
    async with _client(hub) as client:
        for _ in range(CALLS):
            begin = time.perf_counter()
            await call(client)
            took.append(time.perf_counter() - begin)
    return took


async def _rest(client: httpx.AsyncClient) -> httpx.Response:
    answer = await client.get("/api/tasks", params=ARGUMENTS, headers=AUTHORIZED)
    assert len(answer.json()["tasks"]) == ARGUMENTS["limit"], answer.text
    return answer


async def _tool(client: httpx.AsyncClient) -> httpx.Response:
    answer = await client.post("/mcp", json=CALL, headers=HEADERS)
    assert '"isError":false' in answer.text or '"Task ' in answer.text, answer.text
    return answer


def _client(hub: Hub) -> httpx.AsyncClient:
    patience: dict[str, Any] = {"timeout": 60.0, "trust_env": False}
    return httpx.AsyncClient(base_url=hub.url, **patience)
