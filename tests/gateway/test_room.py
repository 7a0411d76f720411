"""No agent can ask for more than is set aside for it, however it asks."""

import asyncio
import base64
from typing import Any

import httpx
import pytest

from gateway.conftest import KEY, MODEL, Playing, play
from hub.played import PlayedHub
from scripted_api import Hang, ScriptedApi, Status, Text, Turn, Usage
from swarm_hub.gateway import gateway
from waiting import until

SCRIPT = [Turn((Text("Done."),), Usage(input=1_000, output=50))]
SLOW = [Turn((Text("Done."),), Usage(input=1_000, output=50), (Hang(after=2),))]
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
LONG = "x" * 60_000  # by its bytes about 20 cents of Sonnet's input


@pytest.fixture
async def poor(hub: PlayedHub) -> Playing:
    """An agent with 4 cents: enough for one call of 1,000 tokens out at a time, and not for two."""
    return await play(hub, budgetCents=4)


def content(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": "Go"}, block]}]


async def test_a_call_waits_while_others_of_its_agent_hold_what_is_left(poor: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = list(SLOW)
    first = asyncio.create_task(poor.ask("Go"))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    second = asyncio.create_task(poor.ask("Go"))
    await api.count_asked()
    assert len(api.seen) == 1
    api.release()
    assert (await first).status_code == (await second).status_code == 200
    before, after = await poor.calls()
    assert after.asked_ms >= before.ended_ms


async def test_twenty_calls_at_once_all_get_their_turn_and_hold_no_more_than_there_is(
    hub: PlayedHub, api: ScriptedApi
) -> None:
    agent = await play(hub, budgetCents=12)
    api.scripts["Go"] = list(SCRIPT)
    answers = await asyncio.gather(*(agent.ask("Go") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    calls = await agent.calls()
    moments = {call.asked_ms for call in calls}
    for moment in moments:
        held = sum(call.hold_micro_usd for call in calls if call.asked_ms <= moment < call.ended_ms)
        assert held <= 120_000


async def test_a_call_that_waits_too_long_is_to_be_asked_again(
    poor: Playing, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "ROOM", 0.05)
    api.scripts["Go"] = list(SLOW)
    first = asyncio.create_task(poor.ask("Go"))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    heard = await poor.ask("Go")
    assert (heard.status_code, heard.json()["error"]["type"]) == (429, "rate_limit_error")
    assert int(heard.headers["retry-after"]) > 0
    api.release()
    await first
    assert len(await poor.calls()) == 1


async def test_a_runtime_that_leaves_while_it_waits_for_room_holds_nothing(poor: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = list(SLOW)
    first = asyncio.create_task(poor.ask("Go"))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    second = asyncio.create_task(poor.ask("Go"))
    await api.count_asked()
    second.cancel()
    waiting = poor.hub.parts.gateway.room
    await until(lambda: not waiting.is_watched(poor.worker.agent_id))
    api.release()
    await first
    assert [call.status for call in await poor.calls()] == [200]
    assert len(api.seen) == 1


async def test_a_call_without_room_is_refused_and_its_agent_is_told_to_stop(poor: Playing, api: ScriptedApi) -> None:
    heard = await poor.ask("Go", max_tokens=32_000)
    assert (heard.status_code, heard.json()["error"]["type"]) == (403, "permission_error")
    assert heard.json()["error"]["message"].startswith("budget: ")
    assert api.seen == []
    ack = await poor.worker.report()
    assert [(control["kind"], control["reason"]) for control in ack["control"]] == [("cancel", "budget")]


async def test_what_does_not_fit_by_its_bytes_is_counted(poor: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"], api.count = list(SCRIPT), 1_000
    assert (await poor.ask("Go" + LONG, {"anthropic-beta": "some-beta"}, temperature=1)).status_code == 200
    (counted,) = api.counted
    assert (counted.headers["x-api-key"], counted.headers["anthropic-beta"]) == (KEY, "some-beta")
    assert counted.request.body.keys() == {"model", "messages"}
    (call,) = await poor.calls()
    assert call.hold_micro_usd == round((1_120 * 3 + 1_000 * 15) * 1.1), "1.1: answered in a region"


async def test_what_fits_by_its_bytes_is_not_counted(poor: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"], api.count = list(SCRIPT), 1_000
    assert (await poor.ask("Go")).status_code == 200
    assert api.counted == []


@pytest.mark.parametrize("count", [Status(404), Status(429), Status(500), 60_000])
async def test_where_a_count_does_not_help_the_bound_stands(
    poor: Playing, api: ScriptedApi, count: int | Status
) -> None:
    api.scripts["Go"], api.count = list(SCRIPT), count
    assert (await poor.ask("Go" + LONG)).status_code == 403
    assert len(api.counted) == 1
    assert api.seen == []


async def test_a_document_is_counted_before_it_goes_on(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"], api.count = list(SCRIPT), 90_000
    assert (await agent.ask("", messages=content(PDF))).status_code == 200
    (call,) = await agent.calls()
    assert call.hold_micro_usd > 90_000 * 3


async def test_a_document_that_nobody_counts_is_refused(agent: Playing, api: ScriptedApi) -> None:
    heard = await agent.ask("", messages=content(PDF))
    assert (heard.status_code, heard.json()["error"]["type"]) == (400, "invalid_request_error")
    assert api.seen == []
    assert await agent.calls() == []


async def test_an_agent_that_has_ended_has_nothing_counted(agent: Playing, api: ScriptedApi) -> None:
    await agent.worker.finish()
    assert (await agent.ask("", messages=content(PDF))).status_code == 403
    assert api.counted == []


async def test_a_picture_costs_no_more_room_than_one_can_cost(poor: Playing, api: ScriptedApi) -> None:
    data = base64.b64encode(bytes(1_500_000)).decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    api.scripts["Go"] = list(SCRIPT)
    assert (await poor.ask("", messages=content(image), max_tokens=100)).status_code == 200
    assert api.counted == []


@pytest.mark.parametrize(("control", "price"), [(None, 3), ({}, 3.75), ({"ttl": "1h"}, 6)])
async def test_what_is_held_is_by_the_caches_that_the_request_may_write(
    agent: Playing, api: ScriptedApi, control: dict[str, str] | None, price: float
) -> None:
    api.scripts["Go"] = list(SCRIPT)
    block = {"type": "text", "text": LONG, **({} if control is None else {"cache_control": control})}
    assert (await agent.ask("", messages=content(block), max_tokens=1)).status_code == 200
    (call,) = await agent.calls()
    assert price <= call.hold_micro_usd / (len(LONG) * 1.1) < price * 1.05


@pytest.mark.parametrize("field", ["mcp_servers", "container", "fallbacks"])
async def test_what_nobody_can_bound_goes_no_further(agent: Playing, api: ScriptedApi, field: str) -> None:
    asked: dict[str, Any] = {field: [{"name": "it"}]}
    heard = await agent.ask("Go", **asked)
    assert heard.status_code == 400
    assert field in heard.json()["error"]["message"]
    assert api.seen == []


async def test_the_way_to_count_is_open_to_the_runtime_too(agent: Playing, api: ScriptedApi) -> None:
    api.count = 77
    url = f"{agent.upstream['baseUrl']}/v1/messages/count_tokens"
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Go"}]}
    async with httpx.AsyncClient(trust_env=False) as http:
        heard = await http.post(url, json=body, headers={"x-api-key": agent.upstream["apiKey"]})
    assert heard.json() == {"input_tokens": 77}
    assert await agent.calls() == []
    assert await agent.spent() == 0
