"""What a call to the model costs is counted by what the model's API says, once, and never too low."""

import asyncio
import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from client.saying import answer, saying
from gateway.conftest import KEY, Playing, play
from hub.played import played_hub
from scripted_api import Drop, Hang, Reset, ScriptedApi, Status, Text, Truncate, Turn, Usage
from swarm_api.worker import UsageReport
from swarm_hub.gateway import gateway
from waiting import LOOK_AGAIN

USAGE = Usage(input=1_000, output=50, cache_read=20, cache_write_5m=300, cache_write_1h=40)
# Sonnet 4.5, dollars per million tokens: 3 in, 15 out, 0.30 read, 3.75 and 6 written; half a micro-dollar rounds up.
COST = 1_000 * 3 + 50 * 15 + 6 + 1_125 + 240


def says(text: str, *faults: object) -> list[Turn]:
    return [Turn((Text(text),), USAGE, faults)]  # type: ignore[arg-type]


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_costs_its_usage_by_the_price(agent: Playing, api: ScriptedApi, stream: bool) -> None:
    api.scripts["Go"] = list(says("Done."))
    heard = await agent.ask("Go", stream=stream)
    assert heard.status_code == 200
    assert "Done." in heard.text
    (call,) = await agent.calls()
    assert (call.model, call.status, call.stop_reason, call.estimated) == (
        "claude-sonnet-4-5-20250929", 200, "end_turn", None,
    )  # fmt: skip
    assert (call.input, call.output, call.cache_read, call.cache_write_5m, call.cache_write_1h) == (
        1_000,
        50,
        20,
        300,
        40,
    )
    assert call.cost_micro_usd == await agent.spent() == COST


async def until_settled(agent: Playing) -> None:
    async with asyncio.timeout(20):
        while any(call.ended_ms is None for call in await agent.calls()):  # noqa: ASYNC110  # the book sets no event
            await asyncio.sleep(LOOK_AGAIN)


async def test_the_books_of_agent_task_and_calls_agree(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = list(says("Done."))
    await asyncio.gather(*(agent.ask("Go") for _ in range(10)))
    shown = await agent.hub.client.agent(agent.worker.agent_id)
    assert shown.cost_micro_usd == await agent.spent() == 10 * COST
    task = await agent.hub.client.task(agent.task.id)
    of_model = task.usage.by_model["claude-sonnet-4-5-20250929"]
    assert (of_model.cost_micro_usd, of_model.cost_basis) == (10 * COST, "metered")
    assert task.usage.input == 10_000


async def test_what_the_worker_says_it_used_changes_nothing(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = list(says("Done."))
    await agent.ask("Go")
    ack = await agent.worker.report(UsageReport(model="claude-opus-4-5", output=10**6, cost_micro_usd=10**9))
    assert ack["stored"] == 1
    assert await agent.spent() == COST


async def test_an_error_costs_nothing_and_comes_with_its_hint(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = list(says("Done.", Status(529, retry_after=7)))
    heard = await agent.ask("Go")
    assert (heard.status_code, heard.headers["retry-after"]) == (529, "7")
    assert heard.json()["error"]["type"] == "overloaded_error"
    (call,) = await agent.calls()
    assert (call.status, call.cost_micro_usd, call.estimated) == (529, 0, None)


@pytest.mark.parametrize("fault", [Drop(after=4), Truncate(after=4)])
async def test_an_answer_that_was_cut_off_costs_what_came_guessed_upward(
    agent: Playing, api: ScriptedApi, fault: Drop | Truncate
) -> None:
    api.scripts["Go"] = list(says("A long answer that nobody hears to its end. " * 20, fault))
    with suppress(httpx.TransportError):
        await agent.ask("Go")
    (call,) = await agent.calls()
    assert call.estimated == "the answer was cut off"
    assert (call.input, call.cache_write_5m) == (1_000, 300)
    assert call.output > 2 * 24 // 4, "two pieces of 24 characters came"
    assert call.cost_micro_usd == await agent.spent() > COST - 50 * 15
    task = await agent.hub.client.task(agent.task.id)
    assert task.usage.by_model[call.model].cost_basis == "estimated"


async def test_a_runtime_that_left_pays_for_what_it_heard(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = list(says("An answer.", Hang(after=3)))
    url, shown = f"{agent.upstream['baseUrl']}/v1/messages", {"x-api-key": agent.upstream["apiKey"]}
    async with httpx.AsyncClient(trust_env=False) as http:
        async with http.stream("POST", url, json=agent.body("Go"), headers=shown) as heard:
            await anext(heard.aiter_raw())
        await api.wait_for(lambda seen: seen.outcome == "disconnected")
    await until_settled(agent)
    assert (await agent.calls())[0].estimated == "the answer was cut off"
    assert await agent.spent() > 0


async def test_a_call_that_nobody_answered_may_be_billed_so_that_its_input_counts(
    agent: Playing, api: ScriptedApi
) -> None:
    api.scripts["Go"] = list(says("Done.", Reset()))
    heard = await agent.ask("Go")
    assert heard.status_code == 502
    assert heard.json()["error"]["type"] == "api_error"
    (call,) = await agent.calls()
    assert (call.status, call.estimated) == (None, "no answer came")
    assert 0 < call.input < 200
    assert 0 < call.cost_micro_usd == await agent.spent() == call.input * 3 < call.hold_micro_usd
    assert (await agent.ask("Go")).status_code == 200


async def test_a_call_counts_whose_runtime_left_before_the_answer_began(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = list(says("Done.", Hang()))
    asking = asyncio.create_task(agent.ask("Go"))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    asking.cancel()
    await api.wait_for(lambda seen: seen.outcome == "disconnected")
    await until_settled(agent)
    (call,) = await agent.calls()
    assert call.estimated == "no answer came"
    assert call.cost_micro_usd == await agent.spent() > 0


@pytest.mark.parametrize("after", [0, 3])
async def test_a_runtime_that_leaves_pays_for_what_may_have_been_written_meanwhile(
    agent: Playing, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Or it would have the model think for nothing: what it left before it came is billed to the hub all the same."""
    monkeypatch.setattr(gateway, "FASTEST", 10**7)
    api.scripts["Go"] = list(says("Done.", Hang(after=after)))
    asking = asyncio.create_task(agent.ask("Go", max_tokens=700))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    asking.cancel()
    await until_settled(agent)
    (call,) = await agent.calls()
    assert call.output == 700
    assert 700 * 15 <= call.cost_micro_usd <= call.hold_micro_usd


async def test_what_the_models_connection_breaks_off_costs_no_time(
    agent: Playing, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "FASTEST", 10**7)
    api.scripts["Go"] = list(says("A long answer.", Drop(after=4)))
    with suppress(httpx.TransportError):
        await agent.ask("Go")
    assert (await agent.calls())[0].output < 700


async def test_a_model_that_cannot_be_reached_costs_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with played_hub(tmp_path, runtime="claude", anthropic_api_key=KEY, anthropic_base_url=url) as hub:
        agent = await play(hub)
        heard = await agent.ask("Go")
        assert (heard.status_code, heard.json()["error"]["type"]) == (502, "api_error")
        (call,) = await agent.calls()
        assert (call.cost_micro_usd, call.estimated) == (0, None)
        assert call.ended_ms is not None


async def test_a_call_in_which_the_hub_was_killed_costs_the_most_it_may_have(tmp_path: Path, api: ScriptedApi) -> None:
    api.scripts["Go"] = list(says("An answer.", Hang(after=3)))
    settings: dict[str, Any] = {"runtime": "claude", "anthropic_api_key": KEY, "anthropic_base_url": api.url}
    async with played_hub(tmp_path, **settings) as hub:
        agent = await play(hub)
        asking = asyncio.create_task(agent.ask("Go"))
        await api.wait_for(lambda seen: seen.outcome == "hanging")
        (call,) = await agent.calls()
        copy = tmp_path / "killed"
        await asyncio.to_thread(_copy, tmp_path / "data", copy / "data")
        asking.cancel()
    async with played_hub(copy, **settings) as hub:
        (again,) = await Playing(hub, agent.task, agent.worker, agent.upstream).calls()
        assert again.id == call.id
        assert again.estimated == "the hub was killed"
        assert again.cost_micro_usd == call.hold_micro_usd == (await hub.client.task(agent.task.id)).cost_micro_usd
        assert again.cost_micro_usd > COST


def _copy(data: Path, to: Path) -> None:
    """What a hub that is killed now would leave."""
    import shutil

    to.mkdir(parents=True, mode=0o700)
    for name in ("hub.db", "hub.db-wal", "hub.db-shm", "worker.secret", "jwt.secret"):
        shutil.copy(data / name, to / name)


async def test_with_an_injected_key_the_cost_is_marked_as_reported(tmp_path: Path) -> None:
    async with played_hub(tmp_path, runtime="claude", anthropic_api_key=KEY, anthropic_key_mode="inject") as hub:
        agent = await play(hub)
        assert agent.upstream == {"apiKey": KEY}
        await agent.worker.report(UsageReport(model="claude-opus-4-5", output=10, cost_micro_usd=250))
        task = await hub.client.task(agent.task.id)
        assert (task.cost_micro_usd, task.usage.by_model["claude-opus-4-5"].cost_basis) == (250, "reported")
        shown = {"x-api-key": hub.model_token(agent.worker.agent_id)}
        heard = await hub.http.post("/anthropic/v1/messages", json=agent.body("Go"), headers=shown)
        assert (heard.status_code, heard.json()["error"]["type"]) == (403, "permission_error")


async def test_a_request_of_the_models_api_counts_once(tmp_path: Path) -> None:
    """Whatever stands between may give one answer twice."""
    body = json.dumps({"model": "claude-sonnet-4-5", "usage": {"input_tokens": 10, "output_tokens": 10}}).encode()
    async with saying(*[answer(200, body, request_id="req_1")] * 2) as server:
        settings: dict[str, Any] = {"runtime": "claude", "anthropic_api_key": KEY, "anthropic_base_url": server.url}
        async with played_hub(tmp_path, **settings) as hub:
            agent = await play(hub)
            for _ in range(2):
                assert (await agent.ask("Go", stream=False)).status_code == 200
            assert await agent.spent() == 10 * 3 + 10 * 15
            assert len(await agent.calls()) == 2
