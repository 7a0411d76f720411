"""Streams stay open no longer than the credential they were opened with."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from hub.following import happen, receive, stream
from hub.played import LIMIT, PlayedHub
from hub.problems import assert_problem
from hubs import ADMIN_KEY
from identity.asking import bearer, end_key, end_token, exchange, make_key, pass_time, refresh
from swarm_hub import app

DAY = 24 * 60 * 60
End = Callable[[PlayedHub, dict[str, Any], str], Awaitable[None]]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "PULSE", 0.02)


async def revoke_token(hub: PlayedHub, _: dict[str, Any], token: str) -> None:
    await end_token(hub, token)


async def revoke_family(hub: PlayedHub, _: dict[str, Any], token: str) -> None:
    await end_token(hub, await refresh(hub, token))


async def revoke_device(hub: PlayedHub, made: dict[str, Any], token: str) -> None:
    await end_token(hub, made["key"], device="phone")


async def revoke_key(hub: PlayedHub, made: dict[str, Any], token: str) -> None:
    await end_key(hub, made["id"])


async def run_out(hub: PlayedHub, made: dict[str, Any], token: str) -> None:
    pass_time(hub, 8 * DAY)


ENDS: list[End] = [revoke_token, revoke_family, revoke_device, revoke_key, run_out]


@asynccontextmanager
async def socket(hub: PlayedHub, credential: str | None, query: str = "", *offered: str) -> AsyncIterator[Any]:
    url = f"{hub.url.replace('http', 'ws')}/ws{query}"
    headers = bearer(credential) if credential else {}
    protocols = [Subprotocol(each) for each in offered] or None
    async with connect(url, proxy=None, additional_headers=headers, subprotocols=protocols) as connection:
        yield connection


async def closed(connection: ClientConnection) -> tuple[int, str]:
    """The code and reason with which the hub closes it."""
    async with asyncio.timeout(LIMIT):
        await connection.wait_closed()
    return connection.close_code or 0, connection.close_reason or ""


async def key_and_token(hub: PlayedHub) -> tuple[dict[str, Any], str]:
    made = await make_key(hub, "tasks:read")
    return made, await exchange(hub, made["key"], device="phone")


@pytest.mark.parametrize("end", ENDS)
async def test_a_websocket_is_closed_when_its_token_ends(hub: PlayedHub, end: End) -> None:
    made, token = await key_and_token(hub)
    async with socket(hub, token) as connection:
        await end(hub, made, token)
        assert await closed(connection) == (4401, "the credential has ended")


async def test_a_websocket_of_a_key_is_closed_when_that_is_revoked(hub: PlayedHub) -> None:
    made = await make_key(hub, "tasks:read")
    async with socket(hub, made["key"]) as connection:
        await end_key(hub, made["id"])
        assert (await closed(connection))[0] == 4401


async def test_a_websocket_is_closed_when_the_maker_of_its_key_is_revoked(hub: PlayedHub) -> None:
    maker = await make_key(hub, "tasks:read")
    made = await make_key(hub, "tasks:read", by=maker["key"])
    async with socket(hub, made["key"]) as connection:
        await end_key(hub, maker["id"])
        assert (await closed(connection))[0] == 4401


async def test_a_websocket_stays_when_another_token_ends(hub: PlayedHub) -> None:
    _, token = await key_and_token(hub)
    async with socket(hub, token) as connection:
        await end_token(hub, await exchange(hub, ADMIN_KEY))
        (seq,) = await happen(hub)
        assert (await receive(connection))["seq"] == seq


@pytest.mark.parametrize("end", ENDS)
async def test_a_stream_of_events_ends_when_its_token_does(hub: PlayedHub, end: End) -> None:
    made, token = await key_and_token(hub)
    async with stream(hub, "/api/events", **bearer(token)) as events:
        await end(hub, made, token)
        with pytest.raises(StopAsyncIteration):
            await events.frame()


@pytest.mark.parametrize("end", [revoke_token, run_out])
async def test_a_log_that_is_followed_ends_when_its_token_does(hub: PlayedHub, end: End) -> None:
    """Without the word that says the task has ended: the reader comes again, and is told why he may not."""
    made, token = await key_and_token(hub)
    task, _ = await hub.running()
    async with stream(hub, f"/api/tasks/{task.id}/logs?follow=true", **bearer(token)) as lines:
        await end(hub, made, token)
        with pytest.raises(StopAsyncIteration):
            await lines.frame()


async def test_nothing_that_comes_after_a_revocation_reaches_a_stream(hub: PlayedHub) -> None:
    _, token = await key_and_token(hub)
    async with socket(hub, token, "?after=0") as connection, stream(hub, "/api/events", **bearer(token)) as events:
        await end_token(hub, token)
        await happen(hub, 3)
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        with pytest.raises(StopAsyncIteration):
            await events.frame()


async def test_a_browser_offers_its_token_as_a_subprotocol(hub: PlayedHub) -> None:
    _, token = await key_and_token(hub)
    (seq,) = await happen(hub)
    async with socket(hub, None, "?after=0", "swarm.v1", f"bearer.{token}") as connection:
        assert connection.subprotocol == "swarm.v1"
        assert token not in str(connection.response.headers)
        assert (await receive(connection))["seq"] == seq


async def test_a_subprotocol_with_a_wrong_token_is_closed(hub: PlayedHub) -> None:
    async with socket(hub, None, "", "swarm.v1", "bearer.garbage") as connection:
        assert (await closed(connection))[0] == 4401


async def test_of_two_tokens_among_the_subprotocols_neither_counts(hub: PlayedHub) -> None:
    _, token = await key_and_token(hub)
    async with socket(hub, None, "", "swarm.v1", f"bearer.{token}", "bearer.other") as connection:
        assert (await closed(connection))[0] == 4401


async def test_a_websocket_without_a_credential_is_closed(hub: PlayedHub) -> None:
    async with socket(hub, None) as connection:
        assert (await closed(connection))[0] == 4401


async def test_a_websocket_without_the_scope_is_closed(hub: PlayedHub) -> None:
    made = await make_key(hub, "metrics:read")
    async with socket(hub, made["key"]) as connection:
        code, reason = await closed(connection)
    assert (code, "tasks:read" in reason) == (4403, True)


@pytest.mark.parametrize("name", ["token", "access_token", "apiKey", "api_key", "authorization"])
async def test_no_url_carries_a_credential(hub: PlayedHub, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """It would be in the logs of every proxy on the way: refused alone, and beside a good one; and not in ours."""
    caplog.set_level(logging.DEBUG, logger="swarm_hub")
    _, token = await key_and_token(hub)
    query = f"?{name}={token}"
    for path in ("/api/tasks", "/api/events"):
        assert_problem(await hub.get(path + query), 400, "malformed_request")
        answer = await hub.http.get(path + query, headers={"Authorization": ""})
        assert_problem(answer, 401, "not_authenticated")
    async with socket(hub, token, query) as connection:
        assert (await closed(connection))[0] == 4400
    async with socket(hub, None, query) as connection:
        assert (await closed(connection))[0] == 4401
    assert token not in caplog.text
