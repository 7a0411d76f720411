"""A client goes on for longer than its tokens, at a real hub, and misses nothing."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import jwt

from hub.played import PlayedHub, played_hub
from hubs import ADMIN_KEY
from swarm_api.access import access
from swarm_api.client import HubClient
from swarm_api.config_file import change_config
from swarm_api.credentials import Credentials
from swarm_api.events import Event
from swarm_api.ids import API_KEY
from swarm_api.stored import TOKEN
from waiting import until

SECRET = "of-the-tests-" + "s" * 32


def signed(lives: float, age: float) -> str:
    """A token that the hub takes, made `age` seconds ago and good for `lives` more."""
    key = API_KEY.fullmatch(ADMIN_KEY)
    assert key is not None
    now = time.time()
    claims = {"sub": f"key_{key[1]}", "scope": ["admin"], "jti": "a", "root": "a", "iat": int(now - age)}
    return jwt.encode({**claims, "exp": int(now + lives)}, SECRET, "HS256")


def machine(tmp_path: Path, hub: PlayedHub, token: str) -> dict[str, str]:
    """The environment of a machine that is logged in."""
    environ = {"HOME": str(tmp_path / "home"), "SWARM_DATA_DIR": str(tmp_path / "none")}
    change_config(tmp_path / "home/.config/claude-swarm/config.json", {"orchestratorUrl": hub.url})
    Credentials(environ, print).store(TOKEN, token)
    return environ


async def taken(events: AsyncGenerator[Event, None], count: int) -> list[int]:
    return [(await anext(events)).seq for _ in range(count)]


async def refreshes(hub: PlayedHub) -> list[Any]:
    return [entry for entry in (await hub.client.audit()).entries if entry.action == "token.refresh"]


async def test_a_stream_goes_on_without_gap_after_its_token_was_revoked(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        first = (await hub.client.token(ADMIN_KEY, "laptop")).token
        environ = machine(tmp_path, hub, first)
        async with HubClient(hub.url, access(hub.url, environ)) as client, aclosing(client.events(after=0)) as events:
            await hub.client.submit({"prompt": "Work", "hold": True})
            seen = await taken(events, 1)
            Credentials(environ, print).store(TOKEN, (await hub.client.token(ADMIN_KEY)).token)
            await hub.client.revoke("laptop")
            await hub.client.submit_batch([{"prompt": "Work", "hold": True}] * 3)
            stored = [event.seq for event in (await hub.client.event_history(limit=100)).events][::-1]
            seen += await taken(events, len(stored) - 1)
    assert seen == stored


async def test_a_token_is_renewed_while_its_stream_is_silent(tmp_path: Path) -> None:
    async with played_hub(tmp_path, jwt_secret=(SECRET,)) as hub:
        environ = machine(tmp_path, hub, old := signed(lives=6, age=3))
        store = Credentials(environ, print)
        async with HubClient(hub.url, access(hub.url, environ)) as client, aclosing(client.events(after=0)) as events:
            await hub.client.submit({"prompt": "Work", "hold": True})
            await taken(events, 1)
            await until(lambda: (found := store.find(TOKEN)) and found.value != old)
        assert len(await refreshes(hub)) == 1


async def test_a_token_of_the_environment_is_renewed_in_memory(tmp_path: Path) -> None:
    async with played_hub(tmp_path, jwt_secret=(SECRET,)) as hub:
        environ = {"HOME": str(tmp_path / "home"), "SWARM_JWT": signed(lives=1_800, age=600_000)}
        async with HubClient(hub.url, access(hub.url, environ)) as client:
            for _ in range(3):
                await client.queue()
        assert len(await refreshes(hub)) == 1
        assert not (tmp_path / "home").exists()


async def test_many_requests_at_once_renew_once(tmp_path: Path) -> None:
    async with played_hub(tmp_path, jwt_secret=(SECRET,)) as hub:
        environ = machine(tmp_path, hub, signed(lives=1_800, age=600_000))
        async with HubClient(hub.url, access(hub.url, environ)) as client:
            await asyncio.gather(*(client.queue() for _ in range(20)))
        assert len(await refreshes(hub)) == 1
