"""Who follows a task hears of what it waits for; usage limits are told wherever one looks."""

import asyncio
import os
import pty
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.program import LIMIT, Swarm
from cli.work import script
from hub.played import PlayedHub, played_hub
from hubs import ADMIN_KEY, HubProcess
from swarm_hub.gateway.hints import Hint
from swarm_hub.gateway.usage_limits import note_limit

GOOD = script({"say": "hello"})


@pytest.fixture
def swarm(tmp_path: Path, hub: HubProcess) -> Swarm:
    """Beside a hub of its own: its money is everybody's."""
    return Swarm(tmp_path, SWARM_URL=hub.url)


def test_who_follows_a_log_is_told_once_what_the_task_waits_for(swarm: Swarm) -> None:
    swarm("budget", "set", "--daily", "1")
    task_id = swarm("submit", "-p", GOOD, "--budget", "2").stdout.strip()
    following = swarm.start("logs", "-f", task_id)
    assert following.stderr is not None
    told = following.stderr.readline()
    assert told == "waits for money: it needs $2.00, and the day's budget is $1.00 in all\n"
    swarm("budget", "set", "--daily", "1.50")
    swarm("budget", "set", "--daily", "5")
    said, rest = following.communicate(timeout=LIMIT)
    assert (following.returncode, rest) == (0, "")
    assert "hello" in said


def test_who_waits_for_what_was_submitted_is_told_once(swarm: Swarm) -> None:
    swarm("budget", "set", "--daily", "1")
    waiting = swarm.start("submit", "-p", GOOD, "--budget", "2", "--wait")
    assert waiting.stderr is not None
    task_id, told = waiting.stderr.readline().strip(), waiting.stderr.readline()
    assert " waits for money: it needs $2.00" in told
    swarm("cancel", task_id)
    assert waiting.communicate(timeout=LIMIT)[1] == ""


def test_watch_shows_how_the_day_stands(swarm: Swarm) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [swarm.program, "watch"], stdin=theirs, stdout=theirs, stderr=theirs, env=swarm.environ, start_new_session=True
    )
    os.close(theirs)
    seen = b""
    while b"today $0.00 of $100.00" not in seen:
        seen += os.read(ours, 65_536)
    process.send_signal(signal.SIGINT)
    with ThreadPoolExecutor(1) as reader:  # what it still draws must find room
        rest = reader.submit(os.read, ours, 65_536)
        assert process.wait(LIMIT) == 130
        rest.result()
    os.close(ours)


async def limit(hub: PlayedHub) -> None:
    """One hour during which the provider takes nothing."""
    now = hub.parts.store.now_ms()
    hint = Hint(until_ms=now + 3_600_000, status=429, detail="too many")
    await hub.parts.store.write(lambda tx: note_limit(tx, hint))


@pytest.mark.parametrize("command", ["status", "agents", "budget"])
async def test_an_overview_tells_of_a_usage_limit_and_what_waits_for_it(tmp_path: Path, command: str) -> None:
    async with played_hub(tmp_path) as hub:
        await limit(hub)
        await hub.client.submit_batch([{"prompt": "a"}, {"prompt": "b"}])
        swarm = Swarm(tmp_path, SWARM_URL=hub.url, SWARM_API_KEY=ADMIN_KEY)
        _, said = await asyncio.to_thread(swarm.on_terminal, command, NO_COLOR="1", TZ="UTC")
    told = said.splitlines()[-1]
    assert told.startswith("usage limit until ")
    assert told.endswith(" UTC · 2 tasks wait")


async def test_what_waits_for_a_usage_limit_is_not_to_be_started_by_hand(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        await limit(hub)
        task = await hub.client.submit({"prompt": "a"})
        swarm = Swarm(tmp_path, SWARM_URL=hub.url, SWARM_API_KEY=ADMIN_KEY)
        _, said = await asyncio.to_thread(swarm.on_terminal, "status", task.id, NO_COLOR="1")
        _, table = await asyncio.to_thread(swarm.on_terminal, "status", NO_COLOR="1")
    assert "\n  swarm budget · swarm cancel " in said
    assert "  usage limit for " in table
