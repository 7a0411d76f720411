"""Who may call the tools, and what a model reads when it may not, or when nobody answers."""

import asyncio
from pathlib import Path

import httpx
import pytest
from mcp import MCPError

from hub.played import PlayedHub, played_hub
from hubs import AUTHORIZED
from mcps import ERAS, Host, mcp_client, text_of
from waiting import until

HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
SPEAKS = {"Accept": "application/json, text/event-stream"}


@pytest.mark.parametrize("era", ERAS)
async def test_a_tool_takes_the_scope_of_its_path_of_the_api(hub: PlayedHub, era: str) -> None:
    reader = Host(hub.url, era, hub.bearer("tasks:read"))
    assert "tasks:write" in await reader.refused("swarm_submit", prompt="Go")
    assert await reader.said("swarm_tasks") == "no task is like that"


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_nobody_gets_in_without_a_credential(hub: PlayedHub, method: str) -> None:
    async with httpx.AsyncClient(base_url=hub.url, trust_env=False) as stranger:
        answer = await stranger.request(method, "/mcp", headers=SPEAKS)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


async def test_a_workers_token_opens_nothing(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    async with httpx.AsyncClient(base_url=hub.url, headers=worker.headers, trust_env=False) as as_worker:
        assert (await as_worker.post("/mcp", json=HELLO, headers=SPEAKS)).status_code == 401


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
async def test_pages_of_others_do_not_reach_the_tools(hub: PlayedHub, header: dict[str, str]) -> None:
    """With the reader's own credential too: a browser may have one."""
    answer = await hub.http.post("/mcp", json=HELLO, headers={**SPEAKS, **header})
    assert answer.status_code == 403


async def test_a_body_is_limited(hub: PlayedHub) -> None:
    answer = await hub.http.post("/mcp", content=b" " * (1024 * 1024 + 1), headers=SPEAKS)
    assert answer.status_code == 413


async def test_a_session_is_closed_to_other_callers(hub: PlayedHub) -> None:
    opened = await hub.http.post("/mcp", json=HELLO, headers=SPEAKS)
    session = {"Mcp-Session-Id": opened.headers["mcp-session-id"], **SPEAKS}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    assert (await hub.http.post("/mcp", json=ping, headers=session)).status_code == 200
    other = {**session, **hub.bearer("tasks:read", "tasks:write")}
    async with httpx.AsyncClient(base_url=hub.url, trust_env=False) as somebody:
        assert (await somebody.post("/mcp", json=ping, headers=other)).status_code == 404


@pytest.mark.parametrize("era", ERAS)
async def test_a_token_that_was_revoked_meanwhile_opens_nothing(hub: PlayedHub, era: str) -> None:
    bearer = hub.bearer("tasks:read")
    async with mcp_client(hub.url, era, bearer) as client:
        assert not (await client.call_tool("swarm_tasks", {})).is_error
        hub.parts.end_key("key_ofatester")
        with pytest.raises(MCPError):
            await client.call_tool("swarm_tasks", {})


@pytest.mark.parametrize("era", ERAS)
async def test_an_unknown_id_is_told_with_the_way_to_the_known_ones(hub: PlayedHub, era: str) -> None:
    told = await Host(hub.url, era).refused("swarm_wait", tasks=["zzz"])
    assert told.endswith("there is no task zzz. swarm_tasks() lists the ids; a unique prefix of one will do.")


async def test_a_wrong_argument_is_named_with_what_is_allowed(hub: PlayedHub) -> None:
    told = await Host(hub.url).refused("swarm_submit", prompt="Go", type="dance")
    assert "type" in told
    assert "'code', 'review', 'docs', 'test', 'security' or 'research'" in told


@pytest.mark.parametrize("era", ERAS)
async def test_whoever_waits_is_let_go_with_the_state_when_the_hub_stops(tmp_path: Path, era: str) -> None:
    async with played_hub(tmp_path) as hub:
        task, _ = await hub.running()
        async with mcp_client(hub.url, era) as client:
            await client.list_tools()  # the SDK's client asks for it after its first call
            waiting = asyncio.create_task(client.call_tool("swarm_wait", {"tasks": [task.id]}))
            await _follows()
            hub.parts.close()
            told = text_of(await waiting)
    assert "The hub is stopping" in told
    assert "running" in told


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_is_cancelled_follows_no_more(hub: PlayedHub, era: str) -> None:
    task, _ = await hub.running()
    async with mcp_client(hub.url, era) as client:
        waiting = asyncio.create_task(client.call_tool("swarm_wait", {"tasks": [task.id]}))
        await _follows()
        waiting.cancel()
        await _follows(0)


async def test_what_is_waited_for_after_a_restart_is_still_there(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        task, _ = await hub.running()
    async with played_hub(tmp_path) as hub:
        told = await Host(hub.url).said("swarm_wait", tasks=[task.id], timeout_seconds=0)
    assert "running" in told


async def test_the_credential_is_the_callers_and_not_that_of_who_came_first(hub: PlayedHub) -> None:
    """The API is asked by one client inside the hub, in the name of each."""
    admin, reader = Host(hub.url, headers=AUTHORIZED), Host(hub.url, headers=hub.bearer("tasks:read"))
    calls = [admin.said("swarm_submit", prompt="Go", options={"hold": True}) for _ in range(5)]
    refusals = [reader.refused("swarm_submit", prompt="Go") for _ in range(5)]
    await asyncio.gather(*calls, *refusals)
    assert (await hub.client.tasks()).total == 5


async def _follows(count: int = 1) -> None:
    """Returns once so many calls within the hub are open."""
    await until(lambda: sum(_is_inside(task) for task in asyncio.all_tasks()) == count)


def _is_inside(task: "asyncio.Task[object]") -> bool:
    return getattr(task.get_coro(), "__qualname__", "") == "Inside._answer"
