"""Who follows a task as a resource is told of its changes, in both eras, for as long as his credential is good."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ResourceUpdatedNotification

from hub.played import LIMIT, PlayedHub, played_hub
from hubs import AUTHORIZED
from mcp_wire import Wire
from mcps import mcp_client
from swarm_api.tasks import Task
from swarm_api.worker import LogReport
from waiting import until

pytestmark = pytest.mark.filterwarnings("ignore:resources/:mcp.MCPDeprecationWarning")


def uri(task: Task, part: str = "") -> str:
    return f"swarm://tasks/{task.id}{part}"


async def told(subscription: Any) -> str:
    async with asyncio.timeout(LIMIT):
        return str((await anext(subscription)).uri)


async def test_a_change_of_a_task_is_told(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    async with mcp_client(hub.url) as client, client.listen(resource_subscriptions=[uri(task)]) as listening:
        await hub.client.cancel(task.id)
        assert await told(listening) == uri(task)


async def test_the_changes_of_other_tasks_are_not_told(hub: PlayedHub) -> None:
    task, other = [await hub.client.submit({"prompt": "Go", "hold": True}) for _ in range(2)]
    async with mcp_client(hub.url) as client, client.listen(resource_subscriptions=[uri(task)]) as listening:
        await hub.client.cancel(other.id)
        await hub.client.cancel(task.id)
        assert await told(listening) == uri(task)


async def test_a_log_that_grows_is_told(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    async with mcp_client(hub.url) as client, client.listen(resource_subscriptions=[uri(task, "/logs")]) as listening:
        await worker.report(LogReport(stream="stdout", text="Looking"))
        assert await told(listening) == uri(task, "/logs")


async def test_the_changes_of_files_are_told_at_the_end(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    async with mcp_client(hub.url) as client, client.listen(resource_subscriptions=[uri(task, "/diff")]) as listening:
        await worker.finish()
        assert await told(listening) == uri(task, "/diff")


async def test_a_task_that_is_not_there_cannot_be_followed(hub: PlayedHub) -> None:
    async with mcp_client(hub.url) as client:
        with pytest.raises(MCPError, match="there is no task zzz"):
            async with client.listen(resource_subscriptions=["swarm://tasks/zzz"]):
                pass


async def test_following_takes_the_scope_of_reading(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    async with mcp_client(hub.url, headers=hub.bearer("agents:read")) as client:
        with pytest.raises(MCPError, match="tasks:read"):
            async with client.listen(resource_subscriptions=[uri(task)]):
                pass


async def test_no_more_than_fifty_are_followed_by_one(hub: PlayedHub) -> None:
    async with mcp_client(hub.url) as client:
        with pytest.raises(MCPError, match="51 addresses; at most 50"):
            async with client.listen(resource_subscriptions=[f"swarm://tasks/{n}" for n in range(51)]):
                pass


async def test_listening_ends_when_the_hub_stops(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        task = await hub.client.submit({"prompt": "Go", "hold": True})
        async with mcp_client(hub.url) as client, client.listen(resource_subscriptions=[uri(task)]) as listening:
            hub.parts.close()
            async with asyncio.timeout(LIMIT):
                assert [event async for event in listening] == []


async def test_listening_ends_with_the_credential(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    bearer = hub.bearer("tasks:read", "agents:read")
    async with mcp_client(hub.url, headers=bearer) as client, client.listen(resource_subscriptions=[uri(task)]) as on:
        hub.parts.end_key("key_ofatester")
        await hub.client.cancel(task.id)
        async with asyncio.timeout(LIMIT):
            assert [event async for event in on] == []


async def test_a_host_that_leaves_is_followed_for_no_more(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    async with mcp_client(hub.url) as client, client.listen(resource_subscriptions=[uri(task)]):
        await until(lambda: _followers() == 1)
    await until(lambda: _followers() == 0)


async def test_tasks_can_be_named_only_by_hosts_that_know_them(hub: PlayedHub) -> None:
    wire = Wire(hub.http, declares=False)
    assert await wire.error("subscriptions/listen", notifications={"taskIds": ["x"]}) == -32021


class Heard:
    """A session of before 2026-07-28, and what it was told."""

    def __init__(self, url: str) -> None:
        self.uris: asyncio.Queue[str] = asyncio.Queue()
        self.http = httpx2.AsyncClient(headers=AUTHORIZED, timeout=30)
        self.client = Client(
            streamable_http_client(f"{url}/mcp", http_client=self.http), mode="legacy", message_handler=self.hear
        )

    async def hear(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self.uris.put_nowait(str(message.params.uri))


async def test_an_older_session_is_told_too(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    heard = Heard(hub.url)
    async with heard.http, heard.client as client:
        await client.subscribe_resource(uri(task))
        await hub.client.cancel(task.id)
        async with asyncio.timeout(LIMIT):
            assert await heard.uris.get() == uri(task)


async def test_an_older_session_is_told_no_more_once_it_unsubscribed(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    heard = Heard(hub.url)
    async with heard.http, heard.client as client:
        await client.subscribe_resource(uri(task))
        await until(lambda: _followers() == 1)
        await client.unsubscribe_resource(uri(task))
        await until(lambda: _followers() == 0)


async def test_the_end_of_an_older_session_ends_its_follower(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    heard = Heard(hub.url)
    async with heard.http, heard.client as client:
        await client.subscribe_resource(uri(task))
        await until(lambda: _followers() == 1)
    await until(lambda: _followers() == 0)


def _followers() -> int:
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    return names.count("follow")
