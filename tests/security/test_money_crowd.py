"""One agent's calls do not fill the hub's memory, whatever they cost."""

import asyncio
from contextlib import ExitStack

import pytest

from gateway.conftest import Playing
from scripted_api import Hang, ScriptedApi, Text, Turn
from swarm_hub.gateway import crowd
from swarm_hub.gateway.asked import LONGEST
from swarm_hub.gateway.crowd import Crowd
from swarm_hub.gateway.refusals import Refused


@pytest.mark.parametrize(("size", "fit"), [(100, 256), (LONGEST, 4), (None, 4)])
def test_so_many_fit_and_others_have_room_of_their_own(size: int | None, fit: int) -> None:
    room = Crowd()
    with ExitStack() as calls:
        for _ in range(fit):
            calls.enter_context(room.place("one", size))
        with pytest.raises(Refused, match="too many"):
            calls.enter_context(room.place("one", size))
        calls.enter_context(room.place("another", size))
    with room.place("one", size):
        pass


async def test_what_is_too_much_is_asked_again_later(
    agent: Playing, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is under way counts, as its request is kept; when it has ended there is room again."""
    monkeypatch.setattr(crowd, "MOST", crowd.LEAST)
    api.scripts["Wait"] = [Turn((Text("Done."),), faults=(Hang(after=3),))]
    api.scripts["Go"] = [Turn((Text("Done."),))]
    waiting = asyncio.create_task(agent.ask("Wait"))
    await api.wait_for(lambda seen: seen.outcome == "hanging")
    refused = await agent.ask("Go")
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
    assert refused.headers["retry-after"] == "5"
    api.release()
    assert (await waiting).status_code == 200
    assert (await agent.ask("Go")).status_code == 200
