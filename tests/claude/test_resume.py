"""A retry goes on with the session of the attempt before it, and what both cost adds up."""

import signal
from dataclasses import replace

import pytest

from claude.driving import SLOW, Driven, bash, cli, make_order, run, running, until_it_runs, until_recorded
from scripted_api import ScriptedApi, Text, Turn, Usage
from swarm_api.worker import Resume, WorkOrder
from swarm_worker.runtimes import Place, RuntimeCrashed

USAGE = Usage(input=1000, output=50)
COST = 1000 * 2 + 50 * 10
UNKNOWN = "11111111-2222-4333-8444-555555555555"


def retry(order: WorkOrder, session_id: str | None) -> WorkOrder:
    return replace(order, attempt=order.attempt + 1, resume=Resume(session_id=session_id, summary="the hub fell over"))


async def first_attempt(api: ScriptedApi, place: Place, end: signal.Signals | None) -> Driven:
    """It ends by itself, or is killed while its command runs."""
    command = bash(SLOW if end else "true")
    api.scripts["the task"] = [Turn((Text("I begin."), command), USAGE), Turn((Text("Hm."),), USAGE)]
    async with running(make_order(api.url, "Do the task."), place) as (driven, task):
        if end is None:
            await task
            return driven
        await until_it_runs(place)
        await until_recorded(place.home, "I begin.")
        await driven.wait_for_usage()
        cli(place).send_signal(end)
        with pytest.raises(RuntimeCrashed):
            await task
    return driven


@pytest.mark.parametrize("end", [None, signal.SIGTERM, signal.SIGKILL], ids=["clean end", "SIGTERM", "SIGKILL"])
async def test_a_session_goes_on(api: ScriptedApi, place: Place, end: signal.Signals | None) -> None:
    first = await first_attempt(api, place, end)
    api.scripts["the task"] = [Turn((Text("I go on."), bash("true")), USAGE), Turn((Text("Done."),), USAGE)]
    second = await run(retry(make_order(api.url, "Do the task."), first.session_id), place)
    assert second.result.summary == "Done."
    assert second.session_id == first.session_id
    assert "I begin." in api.seen[-1].request.text
    assert "the hub fell over" in api.seen[-1].request.text
    answers = len(api.answered("the task"))
    assert (first.used["input"] + second.used["input"], second.used["input"]) == (answers * 1000, 2 * 1000)
    assert first.used["cost_micro_usd"] + second.used["cost_micro_usd"] == answers * COST


@pytest.mark.parametrize("session_id", [UNKNOWN, "no session id", "--help", None])
async def test_a_lost_session_begins_anew_with_what_is_known(
    api: ScriptedApi, place: Place, session_id: str | None
) -> None:
    api.scripts["the task"] = [Turn((Text("Done."),), USAGE)]
    driven = await run(retry(make_order(api.url, "Do the task."), session_id), place)
    assert driven.result.summary == "Done."
    assert "the hub fell over" in api.seen[0].request.text
    said = [line for line in driven.lines("system") if "a new one begins" in line]
    assert len(said) == (session_id is not None)
    assert driven.used["cost_micro_usd"] == COST
