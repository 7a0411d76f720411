"""Where there is no money for the longest answer, a shorter one is asked for: a budget can be used to its end."""

import asyncio
from typing import Any

import pytest

from gateway.conftest import Playing, play
from hub.played import PlayedHub
from scripted_api import Hang, ScriptedApi, Text, Turn, Usage
from swarm_hub.gateway.asked import SHORTEST

LONGEST = 128_000  # tokens of an answer that Claude Code asks for: 1.92 dollars of Sonnet 4.5
USAGE = Usage(input=1_000, output=50)


@pytest.fixture
async def agent(hub: PlayedHub) -> Playing:
    """With a dollar."""
    return await play(hub, budgetCents=100)


async def test_a_call_gets_the_longest_answer_that_there_is_money_for(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = [Turn((Text("Done."),), USAGE)]
    assert (await agent.ask("Go", max_tokens=LONGEST)).status_code == 200
    (seen,) = api.answered("Go")
    (call,) = await agent.calls()
    assert SHORTEST < seen.request.body["max_tokens"] < LONGEST
    assert 990_000 < call.hold_micro_usd <= 1_000_000


async def test_nothing_else_of_a_shortened_call_changes(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = [Turn((Text("Done."),), USAGE)]
    fields: dict[str, Any] = {"temperature": 0.1, "metadata": {"user_id": "Zoë 😀"}, "stop_sequences": ["</a>"]}
    await agent.ask("Go", max_tokens=LONGEST, **fields)
    sent = agent.body("Go", max_tokens=LONGEST, **fields)
    (seen,) = api.answered("Go")
    assert {**seen.request.body, "max_tokens": LONGEST} == sent


async def test_a_call_that_fits_is_passed_on_as_it_is(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = [Turn((Text("Done."),), USAGE)]
    await agent.ask("Go", max_tokens=20_000)
    assert api.answered("Go")[0].request.body["max_tokens"] == 20_000


async def test_calls_side_by_side_share_what_is_left(agent: Playing, api: ScriptedApi) -> None:
    """Subagents do not wait for one another because the first asked for more than it needs."""
    api.scripts["Go"] = [Turn((Text("Done."),), USAGE, (Hang(after=2), Hang(after=2)))]
    first = asyncio.create_task(agent.ask("Go", max_tokens=20_000))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    second = asyncio.create_task(agent.ask("Go", max_tokens=LONGEST))
    await api.wait_for(lambda seen: seen.outcome == "hanging" and seen is not api.seen[0])
    api.release()
    assert (await first).status_code == (await second).status_code == 200
    one, other = await agent.calls()
    assert other.asked_ms < one.ended_ms
    left = 1_000_000 - one.hold_micro_usd
    assert left * 0.49 < other.hold_micro_usd <= left / 2


async def test_no_answer_is_shortened_below_its_thinking(agent: Playing, api: ScriptedApi) -> None:
    thinking = {"type": "enabled", "budget_tokens": 60_000}
    heard = await agent.ask("Go", max_tokens=LONGEST, thinking=thinking)
    assert (heard.status_code, heard.json()["error"]["type"]) == (403, "permission_error")
    assert api.seen == []
