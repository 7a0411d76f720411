"""Nobody keeps money set aside for ever, and no answer is too dear for the books."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from client.saying import answer, saying
from gateway.conftest import KEY, play
from hub.played import PlayedHub, played_hub
from scripted_api import Hang, ScriptedApi, Text, Turn
from swarm_hub.gateway import gateway
from swarm_hub.gateway.ledger import has_ended
from swarm_hub.store.transaction import Reads
from waiting import LOOK_AGAIN, until


def settings(url: str) -> dict[str, Any]:
    return {"runtime": "claude", "anthropic_api_key": KEY, "anthropic_base_url": url}


async def given_back(hub: PlayedHub) -> None:
    """Returns when nothing is set aside for anybody."""
    async with asyncio.timeout(20):
        while (await hub.client.budget()).daily.reserved_micro_usd:  # noqa: ASYNC110  # asked over the network
            await asyncio.sleep(LOOK_AGAIN)


async def test_who_keeps_a_call_open_beyond_its_agents_end_does_not_keep_its_money(
    tmp_path: Path, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model token may be used from elsewhere than the worker, by somebody who just does not read."""
    monkeypatch.setattr(gateway, "LOOK", 0.05)
    api.scripts["Go"] = [Turn((Text("Done."),), faults=(Hang(after=3),))]
    async with played_hub(tmp_path, **settings(api.url)) as hub:
        agent = await play(hub)
        asking = asyncio.create_task(agent.ask("Go"))
        await api.wait_for(lambda seen: seen.outcome == "hanging")
        await agent.worker.finish()
        assert not asking.done()
        await given_back(hub)
        (call,) = await agent.calls()
        assert call.estimated == "the answer was cut off"
        await api.wait_for(lambda seen: seen.outcome == "disconnected")
        asking.cancel()


async def test_an_answer_that_lasts_is_not_cut_off_while_its_agent_lives(
    tmp_path: Path, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def look(reads: Reads, agent_id: str) -> bool:
        nonlocal looks
        looks += 1
        return has_ended(reads, agent_id)

    monkeypatch.setattr(gateway, "LOOK", 0.01)
    monkeypatch.setattr("swarm_hub.gateway.gateway.has_ended", look)
    api.scripts["Go"] = [Turn((Text("Done."),), faults=(Hang(after=3),))]
    async with played_hub(tmp_path, **settings(api.url)) as hub:
        agent = await play(hub)
        asking = asyncio.create_task(agent.ask("Go"))
        await api.wait_for(lambda seen: seen.outcome == "hanging")
        await until(lambda: looks > 3)
        api.release()
        assert "message_stop" in (await asking).text


async def test_an_answer_dearer_than_any_number_is_booked_and_gives_its_hold_back(tmp_path: Path) -> None:
    """Else it could not be written down, and its call would stay open."""
    uses = {f"tool_{n}": 2**60 for n in range(2_000)}
    usage = {"input_tokens": 2**70, "output_tokens": 2**70, "server_tool_use": uses}
    body = json.dumps({"model": "claude-opus-4", "usage": usage}).encode()
    async with saying(answer(200, body)) as server, played_hub(tmp_path, **settings(server.url)) as hub:
        agent = await play(hub)
        await agent.ask("Go", stream=False)
        (call,) = await agent.calls()
        assert call.ended_ms is not None
        shown = await hub.client.budget()
        assert shown.daily.state == "exceeded"
        assert (await hub.client.agent(agent.worker.agent_id)).reserved_micro_usd == 0
