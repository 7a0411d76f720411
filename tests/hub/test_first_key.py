"""The first start of a hub that nobody gave a key."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from hubs import AUTHORIZED, HubProcess
from swarm_api.client import HubClient
from swarm_api.credentials import Credentials

Start = Callable[..., HubProcess]
SHOWN = "admin API key (shown once): "


@pytest.fixture
def hub(start_hub: Start) -> HubProcess:
    return start_hub(SWARM_BOOTSTRAP_KEY="")


def shown(hub: HubProcess) -> str:
    lines = hub.said.read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(SHOWN)
    return lines[0].removeprefix(SHOWN)


def answer(hub: HubProcess, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{hub.url}/api/audit", headers=headers, trust_env=False).status_code


def test_an_admin_key_is_made_and_shown_on_standard_output(hub: HubProcess) -> None:
    assert answer(hub, shown(hub)) == 200


def test_it_is_in_the_credential_store_of_the_user(hub: HubProcess) -> None:
    found = Credentials(hub.environment, pytest.fail).find("swarm-api-key")
    assert found is not None
    assert found.value == shown(hub)


def test_it_is_nowhere_else(hub: HubProcess, tmp_path: Path) -> None:
    key = shown(hub).encode()
    hub.stop()
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != hub.said]
    assert [path.name for path in written if key in path.read_bytes()] == []
    with closing(sqlite3.connect(hub.data_dir / "hub.db")) as database:
        assert database.execute("SELECT hash FROM api_keys").fetchone()[0].startswith(b"$2b$10$")


def test_the_second_start_shows_none(hub: HubProcess) -> None:
    key = shown(hub)
    hub.stop()
    hub.start()
    assert shown(hub) == key
    assert answer(hub, key) == 200


def test_a_key_of_another_hub_stays_in_the_store(hub: HubProcess, start_hub: Start) -> None:
    kept = Credentials(hub.environment, pytest.fail)
    first = kept.find("swarm-api-key")
    other = start_hub(SWARM_BOOTSTRAP_KEY="", HOME=hub.environment["HOME"])
    assert kept.find("swarm-api-key") == first
    assert answer(other, shown(other)) == 200


def test_a_hub_with_a_bootstrap_key_makes_none(start_hub: Start) -> None:
    hub = start_hub()
    assert hub.said.read_text() == ""
    assert httpx.get(f"{hub.url}/api/audit", headers=AUTHORIZED, trust_env=False).status_code == 200


async def test_the_users_own_client_needs_none(hub: HubProcess) -> None:
    """The token in the hub's file opens everything."""
    token = await asyncio.to_thread(hub.token)
    async with HubClient(hub.url, token) as client:
        assert (await client.tasks()).total == 0
    assert answer(hub, token) == 200
