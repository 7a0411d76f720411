"""The real Claude Code and the swarm's tools: what a session can do, and what it is told by itself."""

import json

import pytest

from claude_code.hosts import ClaudeCode, servers
from hubs import AUTHORIZED, HubProcess
from scripted_api import Call, ScriptedApi, Text, Turn
from swarm_api.client import HubClient

SAYS = json.dumps([{"say": "I am at it."}])
NOTICE = "<task-notification>"


def remote(hub: HubProcess) -> tuple[str, ...]:
    return tuple(servers(swarm={"type": "http", "url": f"{hub.url}/mcp", "headers": AUTHORIZED}))


def local() -> tuple[str, ...]:
    return tuple(servers(swarm={"type": "stdio", "command": "swarm", "args": ["mcp"]}))


def calls(tool: str, **arguments: object) -> Turn:
    return Turn((Call(f"mcp__swarm__{tool}", arguments),))


def answer_of(api: ScriptedApi, key: str) -> str:
    """What the model was given for its last call of this script."""
    return api.answered(key)[-1].request.results


@pytest.mark.parametrize("way", ["http", "stdio"])
async def test_a_headless_session_submits_and_reads_the_result(
    api: ScriptedApi, claude: ClaudeCode, hub: HubProcess, way: str
) -> None:
    api.scripts["Delegate it"] = [calls("swarm_run", prompt=SAYS), Turn((Text("It is delegated."),))]
    assert await claude.headless("Delegate it", *(remote(hub) if way == "http" else local())) == "It is delegated."
    assert "> done" in answer_of(api, "Delegate it")


async def test_a_task_of_a_session_is_about_the_repository_it_runs_in(
    api: ScriptedApi, claude: ClaudeCode, client: HubClient
) -> None:
    api.scripts["Delegate it"] = [calls("swarm_submit", prompt=SAYS, options={"hold": True}), Turn((Text("Yes."),))]
    await claude.headless("Delegate it", *local())
    (task,) = (await client.tasks()).tasks
    assert task.repo == str(claude.work)


async def test_an_idle_session_is_woken_by_the_end_of_its_task(
    api: ScriptedApi, claude: ClaudeCode, hub: HubProcess
) -> None:
    api.scripts["Delegate it"] = [calls("swarm_run", prompt=SAYS), Turn((Text("It runs."),))]
    api.scripts[NOTICE] = [Turn((Text("I see."),))]
    async with claude.session(*remote(hub)) as session:
        await session.type("Delegate it")
        woken = await api.wait_for(lambda seen: seen.key == NOTICE)
    assert "&gt; done" in woken.request.text


async def test_a_session_over_stdio_is_woken_too(api: ScriptedApi, claude: ClaudeCode) -> None:
    api.scripts["Delegate it"] = [calls("swarm_run", prompt=SAYS), Turn((Text("It runs."),))]
    api.scripts[NOTICE] = [Turn((Text("I see."),))]
    async with claude.session(*local()) as session:
        await session.type("Delegate it")
        woken = await api.wait_for(lambda seen: seen.key == NOTICE)
    assert "&gt; done" in woken.request.text
