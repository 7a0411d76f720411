"""What interrupts, closes and kills Claude Code, and what is left then: nothing."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from claude.driving import DEADLINE, KEY, SLOW, bash, cli, make_order, processes, run, running, until_it_runs
from scripted_api import Hang, ScriptedApi, Seen, Text, Turn
from swarm_worker.runtimes import Place, RuntimeCrashed

STORY = Turn((Text("Once upon a time there was a very long story."),), faults=(Hang(after=4),))


def is_hanging(seen: Seen) -> bool:
    return seen.outcome == "hanging"


async def test_interrupted_while_the_model_speaks(api: ScriptedApi, place: Place) -> None:
    api.scripts["story"] = [STORY]
    async with running(make_order(api.url, "tell a story"), place) as (driven, task):
        seen = await api.wait_for(is_hanging)
        await driven.runtime.interrupt()
        await task
    assert (driven.result.status, driven.result.error_code) == ("cancelled", "cancelled")
    assert seen.outcome == "disconnected"


async def test_interrupted_while_a_command_runs(api: ScriptedApi, place: Place) -> None:
    api.scripts["wait"] = [Turn((bash(SLOW),)), Turn((Text("Never."),))]
    async with running(make_order(api.url, "wait"), place) as (driven, task):
        await until_it_runs(place)
        await driven.runtime.interrupt()
        await task
    assert driven.result.status == "cancelled"
    assert processes(place) == []
    assert len(api.seen) == 1


async def test_interrupted_before_it_began(api: ScriptedApi, place: Place) -> None:
    api.scripts["hello"] = [Turn((Text("Hello."),), faults=(Hang(),))]
    async with running(make_order(api.url, "hello"), place) as (driven, task):
        await driven.runtime.interrupt()
        await task
    assert driven.result.status == "cancelled"
    assert api.answered("hello") == []


async def test_a_message_is_heard_at_the_next_turn(api: ScriptedApi, place: Place) -> None:
    flag = place.tmp / "go"
    api.scripts["work"] = [Turn((bash(f"until [ -e {flag} ]; do sleep 0.05; done"),)), Turn((Text("Yes, blue."),))]
    async with running(make_order(api.url, "work"), place) as (driven, task):
        await driven.wait_for_usage()
        await driven.runtime.send("Make it blue.")
        flag.touch()
        await task
    assert "Make it blue." in api.seen[-1].request.text
    assert driven.result.summary == "Yes, blue."


async def test_a_message_that_comes_late_is_answered_too(api: ScriptedApi, place: Place) -> None:
    api.scripts["work"] = [Turn((Text("Done."),), faults=(Hang(after=4),))]
    api.scripts["make it blue"] = [Turn((Text("Yes, blue."),))]
    async with running(make_order(api.url, "work"), place) as (driven, task):
        await api.wait_for(is_hanging)
        await driven.runtime.send("Now make it blue.")
        api.release()
        await task
    assert driven.lines("agent") == ["Done.", "Yes, blue."]
    assert (driven.result.status, driven.result.summary) == ("success", "Yes, blue.")


async def test_a_cleared_conversation_still_costs_what_it_cost(api: ScriptedApi, place: Place) -> None:
    api.scripts["work"] = [Turn((Text("Done."),), faults=(Hang(after=4),))]
    api.scripts["something else"] = [Turn((Text("Done, too."),))]
    async with running(make_order(api.url, "work"), place) as (driven, task):
        await api.wait_for(is_hanging)
        await driven.runtime.send("/clear")
        await driven.runtime.send("Now do something else.")
        api.release()
        await task
    assert driven.result.summary == "Done, too."
    assert "work" not in [seen.key for seen in api.seen[1:]]
    assert driven.used["input"] == 200


async def test_an_interrupt_after_a_message_makes_room_for_it(api: ScriptedApi, place: Place) -> None:
    api.scripts["story"] = [STORY]
    api.scripts["make it short"] = [Turn((Text("The end."),))]
    async with running(make_order(api.url, "tell a story"), place) as (driven, task):
        await api.wait_for(is_hanging)
        await driven.runtime.send("Stop, make it short.")
        await driven.runtime.interrupt()
        await task
    assert (driven.result.status, driven.result.summary) == ("success", "The end.")


async def test_closed_early_it_ends_all_it_started(api: ScriptedApi, place: Place) -> None:
    api.scripts["wait"] = [Turn((bash(SLOW),)), Turn((Text("Never."),))]
    async with running(make_order(api.url, "wait"), place) as (_, task):
        await until_it_runs(place)
        task.cancel()
        await asyncio.wait({task})
    assert processes(place) == []
    assert len(api.seen) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_killed_it_is_a_crash_with_its_last_words(api: ScriptedApi, place: Place, number: signal.Signals) -> None:
    """The words here are the loader's, which misses a library and says so."""
    talkative = replace(place, env={**place.env, "LD_PRELOAD": "missing.so"})
    api.scripts["story"] = [STORY]
    async with running(make_order(api.url, "tell a story"), talkative) as (driven, task):
        await api.wait_for(is_hanging)
        cli(place).send_signal(number)
        with pytest.raises(RuntimeCrashed, match=rf"(?s)ended by {number.name}.*missing\.so"):
            await task
    assert "missing.so" in driven.lines("stderr")[-1]


async def test_when_it_cannot_start_it_is_a_crash(api: ScriptedApi, place: Place) -> None:
    with pytest.raises(RuntimeCrashed, match="directory does not exist"):
        await run(make_order(api.url, "hello"), replace(place, workdir=place.workdir / "missing"))


async def test_it_dies_with_its_worker(api: ScriptedApi, place: Place) -> None:
    """And so does the command it runs, and the model is not asked again."""
    api.scripts["wait"] = [Turn((bash(SLOW),)), Turn((Text("Never."),))]
    script = Path(__file__).with_name("worker.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parents[1]), "ANTHROPIC_API_KEY": KEY}
    arguments = (str(script), api.url, str(place.workdir), str(place.home), "wait")
    worker = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=environment)
    await until_it_runs(place)
    left = processes(place)
    assert {"claude", "bash"} <= {process.name() for process in left}
    worker.kill()
    await worker.wait()
    _, alive = psutil.wait_procs(left, timeout=DEADLINE)
    assert alive == []
    assert len(api.seen) == 1
