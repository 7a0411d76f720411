"""`swarm logs`: text for programs, who and when for people, nothing that a terminal obeys."""

import asyncio
import json
import signal
from pathlib import Path

from cli.program import LIMIT, Swarm
from cli.work import ended, script
from hub.played import played_hub
from hubs import ADMIN_KEY
from swarm_api.ids import short
from swarm_api.worker import LogReport

OBEYED = "\x1b\x9b\x07\u202e"
HOSTILE = "a\x1b[2Jb\x1b]0;owned\x07c\x1b[31md\x9b1me\x07f\u202eg"


def test_a_pipe_gets_the_text_alone(swarm: Swarm) -> None:
    task_id = ended(swarm, {"say": "first"}, {"say": "second\nthird"})
    lines = swarm("logs", task_id).stdout.splitlines()
    assert lines[-3:] == ["first", "second", "third"]


def test_json_is_the_apis_own_a_line_each(swarm: Swarm) -> None:
    task_id = ended(swarm, {"say": "hello", "data": {"mood": "fine"}})
    lines = [json.loads(line) for line in swarm("logs", task_id, "--json").stdout.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert (lines[-1]["text"], lines[-1]["stream"], lines[-1]["data"]) == ("hello", "agent", {"mood": "fine"})


def test_following_ends_with_the_task_and_gives_the_same_lines(swarm: Swarm) -> None:
    task_id = swarm("submit", "-p", script({"say": "a"}, {"sleep": 0.3}, {"say": "b"})).stdout.strip()
    followed = swarm("logs", task_id, "-f", "--json")
    assert followed.returncode == 0
    assert followed.stdout == swarm("logs", task_id, "--json").stdout


def test_following_on_a_terminal_says_how_it_ended(swarm: Swarm) -> None:
    task_id = ended(swarm, {"fail": "no tea left"})
    _, said = swarm.on_terminal("logs", "-f", task_id, NO_COLOR="1")
    assert f"\n✗ failed  {short(task_id)}  agent_failed: no tea left" in said


def test_reading_may_go_on_after_a_line(swarm: Swarm) -> None:
    task_id = ended(swarm, {"say": "a"}, {"say": "b"})
    last = json.loads(swarm("logs", task_id, "--json").stdout.splitlines()[-1])["seq"]
    assert swarm("logs", task_id, "--after", str(last - 1)).stdout == "b\n"


def test_a_terminal_sees_who_and_when(swarm: Swarm) -> None:
    task_id = ended(swarm, {"say": "hello"})
    _, said = swarm.on_terminal("logs", task_id, NO_COLOR="1")
    when, who, text = said.splitlines()[-1].split()
    assert (when[-1], who, text) == ("s", "agent", "hello")


async def test_a_terminal_obeys_nothing_that_an_agent_says(tmp_path: Path) -> None:
    """Workers clean what they send; this one is not to be trusted."""
    async with played_hub(tmp_path) as hub:
        task, worker = await hub.running()
        await worker.report(LogReport(stream="agent", text=HOSTILE))
        swarm = Swarm(tmp_path, SWARM_URL=hub.url, SWARM_API_KEY=ADMIN_KEY)
        _, seen = await asyncio.to_thread(swarm.on_terminal, "logs", task.id, NO_COLOR="1")
        _, as_json = await asyncio.to_thread(swarm.on_terminal, "logs", task.id, "--json")
        piped = await asyncio.to_thread(swarm, "logs", task.id)
    assert seen.splitlines()[-1].endswith("agent   abcde\\x07f\\u202eg")
    assert piped.stdout == "abcde\\x07f\\u202eg\n"
    assert not any(char in as_json for char in OBEYED)
    assert json.loads(as_json.splitlines()[-1])["text"] == HOSTILE


def test_a_prompt_is_as_harmless(swarm: Swarm) -> None:
    task_id = swarm("submit", "-p", HOSTILE, "--hold", "--name", "hostile").stdout.strip()
    for arguments in (["status"], ["status", task_id], ["status", task_id, "--json"]):
        _, said = swarm.on_terminal(*arguments, columns=200, NO_COLOR="1")
        assert not any(char in said for char in OBEYED)


def test_ctrl_c_ends_following_with_130(swarm: Swarm) -> None:
    task_id = swarm("submit", "-p", script({"say": "hello"}, {"hang": True})).stdout.strip()
    following = swarm.start("logs", task_id, "-f")
    assert following.stdout is not None
    while "hello" not in following.stdout.readline():
        assert following.poll() is None
    following.send_signal(signal.SIGINT)
    assert following.communicate(timeout=LIMIT)[1] == ""
    assert following.returncode == 130
    swarm("cancel", task_id)
