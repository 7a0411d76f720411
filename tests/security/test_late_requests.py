"""A request that began before its credential was revoked does nothing afterwards."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.played import PlayedHub, played_hub
from identity.asking import KEYS, REFRESH, bearer, end_key, end_token, exchange, make_key, status
from swarm_hub.identity import keys

Json = dict[str, Any]
End = Callable[[PlayedHub, Json, str], Awaitable[None]]


async def revoke_key(hub: PlayedHub, made: Json, _: str) -> None:
    await end_key(hub, made["id"])


async def revoke_token(hub: PlayedHub, _: Json, token: str) -> None:
    await end_token(hub, token)


ENDS: list[End] = [revoke_key, revoke_token]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


async def post_late(hub: PlayedHub, path: str, body: Json, credential: str, end: Awaitable[None]) -> httpx.Response:
    """Send a request whose caller is known and whose body waits until its credential has ended."""
    admitted, admit = asyncio.Event(), hub.parts.identity.admit

    async def told(*asked: Any) -> Any:
        caller = await admit(*asked)
        admitted.set()
        return caller

    async def content() -> AsyncIterator[bytes]:
        yield b" "
        await admitted.wait()
        setattr(hub.parts.identity, "admit", admit)  # noqa: B010
        await end
        yield json.dumps(body).encode()

    setattr(hub.parts.identity, "admit", told)  # noqa: B010
    return await hub.http.post(path, content=content(), headers=bearer(credential))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("path", "body"),
    [(KEYS, {"name": "late", "scopes": ["admin"]}), ("/api/tasks", {"prompt": "late"}), (REFRESH, {})],
)
async def test_a_body_that_comes_after_the_revocation_is_refused(
    hub: PlayedHub, end: End, path: str, body: Json
) -> None:
    made = await make_key(hub, "admin")
    token = await exchange(hub, made["key"])
    answer = await post_late(hub, path, body, token, end(hub, made, token))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


async def test_an_admin_key_revoked_while_another_is_hashed_leaves_none_behind(
    hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, begun, hashed = await make_key(hub, "admin"), asyncio.Event(), asyncio.Event()
    hash_key = hub.parts.identity.hash_key

    async def slowly(text: str) -> bytes:
        begun.set()
        await hashed.wait()
        return await hash_key(text)

    monkeypatch.setattr(hub.parts.identity, "hash_key", slowly)
    making = asyncio.create_task(hub.post(KEYS, {"name": "late", "scopes": ["admin"]}, **bearer(made["key"])))
    await begun.wait()
    await end_key(hub, made["id"])
    hashed.set()
    assert (await making).status_code == 401


async def test_a_late_body_of_a_good_credential_is_taken(hub: PlayedHub) -> None:
    made = await make_key(hub, "admin")
    token = await exchange(hub, made["key"])
    late = await post_late(hub, KEYS, {"name": "late", "scopes": ["admin"]}, token, asyncio.sleep(0))
    assert late.status_code == 201
    assert await status(hub, late.json()["key"]) == 200
    assert keys.key_id(late.json()["key"]) == late.json()["id"]
