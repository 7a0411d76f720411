"""When the model's provider takes no more, nobody fails for it: what runs waits, what would start waits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.conftest import KEY, Playing, play
from hub.played import PlayedHub, played_hub
from scripted_api import Fault, Hang, Request, ScriptedApi, Status, Text, Turn
from swarm_api.events import Event
from swarm_hub.gateway.hints import Hint
from swarm_hub.gateway.usage_limits import limited_until, note_limit
from waiting import until

SHORT, LONG = 60, 3_600  # seconds
NOTHING_LEFT = "anthropic-ratelimit-tokens-remaining"
RESET = "anthropic-ratelimit-tokens-reset"


class Clock:
    """The hub's, which only the test moves on."""

    def __init__(self) -> None:
        self.ms = 1_790_000_000_000

    def __call__(self) -> int:
        return self.ms

    def rfc3339(self, seconds: int) -> str:
        """So many seconds from now."""
        return datetime.fromtimestamp(self.ms / 1000 + seconds, UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def settings(api: ScriptedApi) -> dict[str, Any]:
    return {"runtime": "claude", "anthropic_api_key": KEY, "anthropic_base_url": api.url}


@pytest.fixture
async def hub(tmp_path: Path, api: ScriptedApi, clock: Clock) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path, clock, **settings(api)) as hub:
        yield hub


@pytest.fixture
async def other(hub: PlayedHub) -> Playing:
    return await play(hub)


def says(*faults: Fault) -> list[Turn | Callable[[Request], Turn]]:
    return [Turn((Text("Done."),), faults=faults)]


def limit(seconds: int) -> Status:
    return Status(429, "rate_limit_error", retry_after=seconds)


async def known(hub: PlayedHub) -> int | None:
    """Seconds until the end of the limit that the hub keeps."""
    now = hub.parts.store.now_ms()
    end = await hub.parts.store.read(lambda c: limited_until(c, now))
    return None if end is None else (end - now) // 1000


async def journaled(hub: PlayedHub) -> list[Event]:
    """Limits, as those hear of them who follow the journal."""
    return (await hub.client.event_history(types=["usage_limit"])).events


async def told_to_stop(agent: Playing) -> bool:
    """Whether its worker hears that it must, once, for the limit's sake."""
    ack = await agent.worker.report()
    said = [(control["kind"], control["reason"]) for control in ack["control"]]
    assert said in ([], [("cancel", "usage_limit")])
    return bool(said)


async def ask_impatiently(agent: Playing) -> None:
    url, shown = f"{agent.upstream['baseUrl']}/v1/messages", {"x-api-key": agent.upstream["apiKey"]}
    async with httpx.AsyncClient(trust_env=False, timeout=0.1) as http:
        await http.post(url, json=agent.body("Go"), headers=shown)


async def test_the_call_that_met_a_limit_hears_of_it(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = says(limit(LONG))
    heard = await agent.ask("Go")
    assert (heard.status_code, heard.headers["retry-after"]) == (429, str(LONG))
    assert heard.json()["error"]["type"] == "rate_limit_error"
    assert await agent.spent() == 0


@pytest.mark.parametrize(("seconds", "stops"), [(SHORT, False), (300, False), (LONG, True)])
async def test_the_agent_that_met_a_limit_is_told_to_stop_if_it_is_long(
    agent: Playing, api: ScriptedApi, seconds: int, stops: bool
) -> None:
    """Its runtime would sit out the `Retry-After`, however long."""
    api.scripts["Go"] = says(limit(seconds))
    await agent.ask("Go")
    assert await told_to_stop(agent) == stops


async def test_others_wait_for_a_short_limit_and_one_goes_first(
    agent: Playing, other: Playing, api: ScriptedApi, clock: Clock
) -> None:
    api.scripts["Go"] = says(limit(1), Hang())
    await agent.ask("Go")
    asking = [asyncio.create_task(each.ask("Go")) for each in (agent, other, other)]
    clock.ms += 1_000
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    assert len(api.seen) == 2
    assert len([call for call in await agent.calls() if call.ended_ms is None]) == 1
    api.release()
    assert {answer.status_code for answer in await asyncio.gather(*asking)} == {200}
    assert await known(agent.hub) is None


async def test_a_runtime_that_leaves_while_it_waits_is_forgotten(
    agent: Playing, other: Playing, api: ScriptedApi, clock: Clock
) -> None:
    api.scripts["Go"] = says(limit(1))
    await agent.ask("Go")
    with pytest.raises(httpx.ReadTimeout):
        await ask_impatiently(other)
    asking = asyncio.create_task(agent.ask("Go"))  # it looks at the clock after the one that left would have
    clock.ms += 1_000
    assert (await asking).status_code == 200
    assert len(api.seen) == 2
    assert {call.agent_id for call in await agent.calls()} == {agent.worker.agent_id}


async def test_an_agent_that_meets_a_long_limit_is_told_to_stop_and_its_task_waits(
    agent: Playing, other: Playing, api: ScriptedApi, clock: Clock
) -> None:
    api.scripts["Go"] = says(limit(LONG))
    await agent.ask("Go")
    clock.ms += 10_000
    heard = await other.ask("Go")
    assert (heard.status_code, heard.json()["error"]["type"]) == (429, "rate_limit_error")
    assert int(heard.headers["retry-after"]) == LONG - 10
    assert len(api.seen) == 1
    assert await told_to_stop(other)
    await other.worker.finish(status="cancelled", error_code="usage_limit")
    task = await other.hub.client.task(other.task.id)
    assert task.status == "pending"
    (blocked,) = task.blocked_by
    assert (blocked.reason, blocked.until) == ("usage_limit", datetime.fromtimestamp(clock.ms / 1000 + LONG - 10, UTC))


async def test_nothing_starts_while_a_limit_is_in_force(
    agent: Playing, hub: PlayedHub, api: ScriptedApi, clock: Clock
) -> None:
    api.scripts["Go"] = says(limit(SHORT))
    assert (await hub.client.queue()).blocked["usage_limit"] == 0
    await agent.ask("Go")
    task = await hub.client.submit({"prompt": "Later"})
    assert [reason.reason for reason in (await hub.client.task(task.id)).blocked_by] == ["usage_limit"]
    clock.ms += SHORT * 1000
    await hub.worker(task.id)


@pytest.mark.parametrize("status", [200, 529])
async def test_an_answer_that_says_nothing_is_left_counts_as_a_limit(
    agent: Playing, api: ScriptedApi, clock: Clock, status: int
) -> None:
    headers = {NOTHING_LEFT: "0", RESET: clock.rfc3339(SHORT)}
    api.scripts["Go"] = [Turn((Text("Done."),), headers=headers)]
    if status != 200:
        api.scripts["Go"] = says(Status(status, headers=headers))
    assert (await agent.ask("Go")).status_code == status
    assert await known(agent.hub) == SHORT


async def test_a_limit_is_journaled_with_its_end(
    agent: Playing, hub: PlayedHub, api: ScriptedApi, clock: Clock
) -> None:
    api.scripts["Go"] = says(limit(SHORT))
    await agent.ask("Go")
    (event,) = await journaled(hub)
    assert event.payload == {"until": clock.rfc3339(SHORT), "status": 429, "detail": "retry-after"}


@pytest.mark.parametrize(
    ("seconds", "times"), [([60, 60, 30], 1), ([60, 110, 119], 1), ([60, 121], 2), ([60, 90, 121], 2), ([3_600, 60], 1)]
)
async def test_a_limit_is_journaled_again_only_when_it_has_grown_by_a_minute(
    hub: PlayedHub, clock: Clock, seconds: list[int], times: int
) -> None:
    for each in seconds:
        hint = Hint(clock.ms + each * 1000, 429, "retry-after")
        await hub.parts.store.write(partial(note_limit, hint=hint))
    assert len(await journaled(hub)) == times
    assert await known(hub) == max(seconds)


async def test_the_next_limit_is_journaled_again(hub: PlayedHub, clock: Clock) -> None:
    for _ in range(2):
        hint = Hint(clock.ms + 10_000, 429, "retry-after")
        await hub.parts.store.write(partial(note_limit, hint=hint))
        clock.ms += 10_000
    assert len(await journaled(hub)) == 2
    assert await known(hub) is None


async def test_a_hub_that_is_restarted_knows_the_limit(tmp_path: Path, api: ScriptedApi, clock: Clock) -> None:
    api.scripts["Go"] = says(limit(LONG))
    async with played_hub(tmp_path, clock, **settings(api)) as hub:
        agent = await play(hub)
        await agent.ask("Go")
    async with played_hub(tmp_path, clock, **settings(api)) as hub:
        shown = {"x-api-key": hub.model_token(agent.worker.agent_id)}
        heard = await hub.http.post("/anthropic/v1/messages", json=agent.body("Go"), headers=shown)
        assert heard.status_code == 429
        assert len(api.seen) == 1
        assert await known(hub) == LONG


async def test_a_call_that_waits_when_the_hub_stops_is_to_be_asked_again(
    tmp_path: Path, api: ScriptedApi, clock: Clock
) -> None:
    api.scripts["Go"] = says(limit(SHORT))
    async with played_hub(tmp_path, clock, **settings(api)) as hub:
        agent = await play(hub)
        await agent.ask("Go")
        waiting = asyncio.create_task(agent.ask("Go"))
        await until(lambda: hub.parts.gateway.room.is_watched(agent.worker.agent_id))
    heard = await waiting
    assert (heard.status_code, heard.json()["error"]["message"]) == (502, "the hub is stopping")


async def test_a_limit_on_counting_limits_nothing_else(agent: Playing, api: ScriptedApi) -> None:
    api.count = limit(LONG)
    async with httpx.AsyncClient(trust_env=False) as http:
        url, shown = f"{agent.upstream['baseUrl']}/v1/messages/count_tokens", {"x-api-key": agent.upstream["apiKey"]}
        heard = await http.post(url, json={"model": "m", "messages": []}, headers=shown)
    assert (heard.status_code, heard.headers["retry-after"]) == (429, str(LONG))
    assert await known(agent.hub) is None
