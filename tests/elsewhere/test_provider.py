"""Where new agents run is changed while others run on; what is chosen outlives a restart."""

import json

import httpx
import pytest

from elsewhere.machines import RemoteHub
from elsewhere.test_tasks import ended, running
from hubs import AUTHORIZED
from swarm_api.client import HubClient


async def choose(hub: RemoteHub, name: str, headers: dict[str, str] = AUTHORIZED) -> httpx.Response:
    async with httpx.AsyncClient(base_url=hub.url, trust_env=False) as http:
        return await http.put("/api/provider", json={"type": name}, headers=headers)


async def test_new_agents_go_where_it_is_said_and_those_that_run_stay(fly: RemoteHub, client: HubClient) -> None:
    go = fly.data_dir.parent / "go"
    there = await client.submit({"prompt": json.dumps([{"wait_file": str(go)}])})
    await running(fly, client, there)
    answer = await choose(fly, "local")
    assert (answer.status_code, answer.json()["type"]) == (200, "local")
    here = await ended(client, await client.submit({"prompt": "[]"}))
    assert (here.status, (here.assigned_agent or "")[:6]) == ("completed", "local-")
    go.touch()
    there = await ended(client, there)
    assert (there.status, (there.assigned_agent or "")[:4]) == ("completed", "fly-")


async def test_what_was_chosen_is_known_after_a_restart(fly: RemoteHub) -> None:
    await choose(fly, "local")
    await fly.again()
    async with fly.client() as client:
        assert (await client.provider()).type == "local"


async def test_a_place_without_its_settings_is_refused_and_they_are_named(fly: RemoteHub, client: HubClient) -> None:
    answer = await choose(fly, "azure")
    assert answer.status_code == 422
    assert "AZURE_SUBSCRIPTION_ID" in answer.text
    assert (await client.provider()).type == "fly"


@pytest.mark.parametrize("name", ["moon", "", "FLY"])
async def test_a_place_that_there_is_not_is_refused(fly: RemoteHub, name: str) -> None:
    assert (await choose(fly, name)).status_code == 422


async def test_a_cloud_that_lets_nobody_in_is_seen(fly: RemoteHub, client: HubClient) -> None:
    assert (await client.provider()).healthy
    fly.faulty.plan = lambda _call: "503"
    seen = await client.provider()
    assert not seen.healthy
    assert "503" in seen.detail or "does not answer" in seen.detail
