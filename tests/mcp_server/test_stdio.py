"""`swarm mcp`: the same tools, started by the host in somebody's folder."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from hub.played import PlayedHub, played_hub
from hubs import ADMIN_KEY, HubProcess
from mcps import ERAS, text_of

SWARM = Path(sys.executable).with_name("swarm")


@asynccontextmanager
async def swarm_mcp(hub: PlayedHub, folder: Path, era: str = "auto", key: str = ADMIN_KEY) -> AsyncIterator[Client]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(hub.parts.settings.data_dir),
        "SWARM_URL": hub.url,
        "SWARM_API_KEY": key,
    }
    server = StdioServerParameters(command=str(SWARM), args=["mcp"], env=environ, cwd=folder)
    async with Client(stdio_client(server), mode=era) as client:
        yield client


@pytest.mark.parametrize("era", ERAS)
async def test_it_has_the_tools_of_the_hub(tmp_path: Path, era: str) -> None:
    async with played_hub(tmp_path) as hub, swarm_mcp(hub, tmp_path, era) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "swarm_submit" in names
        assert "no task is like that" in text_of(await client.call_tool("swarm_tasks", {}))


async def test_the_repository_it_was_started_in_is_the_tasks(tmp_path: Path, repo: Path) -> None:
    async with played_hub(tmp_path) as hub:
        async with swarm_mcp(hub, repo) as client:
            for repo_given in ({}, {"repo": ""}, {"repo": "."}):
                assert not (await client.call_tool("swarm_submit", {"prompt": "Go", **repo_given})).is_error
        tasks = [task.repo for task in (await hub.client.tasks()).tasks]
    assert tasks == [str(repo), None, str(repo)]


async def test_a_relative_path_outside_of_a_repository_is_refused(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub, swarm_mcp(hub, tmp_path) as client:
        answer = await client.call_tool("swarm_submit", {"prompt": "Go", "repo": "."})
        assert answer.is_error
        assert "is no git repository" in text_of(answer)


async def test_a_hub_that_is_down_is_told_with_the_way_to_start_it(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        pass
    async with swarm_mcp(hub, tmp_path) as client:
        answer = await client.call_tool("swarm_status", {})
        assert answer.is_error
        assert f"no hub answers at {hub.url}" in text_of(answer)
        assert "swarm orchestrator start" in text_of(answer)


def test_a_variable_that_holds_no_credential_is_named(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SWARM_API_KEY": "hunter2"}
    run = subprocess.run([SWARM, "mcp"], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("swarm mcp: SWARM_API_KEY is set to something else")
    assert "hunter2" not in run.stderr


def test_it_ends_when_the_host_closes_the_pipe(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    run = subprocess.run([SWARM, "mcp"], env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


async def test_whoever_waits_over_a_restart_of_the_hub_has_the_result(
    tmp_path: Path, start_hub: Callable[..., HubProcess]
) -> None:
    """The agent outlives the hub, and the wait does too."""
    hub = start_hub()
    gate = tmp_path / "gate"
    async with hub.client() as api:
        task = await api.submit({"prompt": json.dumps([{"wait_file": str(gate)}])})
        await anext(api.events(after=0, types=["task_started"]))
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SWARM_URL": hub.url, "SWARM_API_KEY": ADMIN_KEY}
    server = StdioServerParameters(command=str(SWARM), args=["mcp"], env=environ, cwd=tmp_path)
    reported = asyncio.Event()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        reported.set()

    async with Client(stdio_client(server)) as client:
        await client.list_tools()
        waiting = asyncio.create_task(client.call_tool("swarm_wait", {"tasks": [task.id]}, progress_callback=note))
        await reported.wait()
        await asyncio.to_thread(hub.stop)
        await asyncio.to_thread(hub.start)
        gate.touch()
        answer = await waiting
    assert not answer.is_error
    assert "completed" in text_of(answer)
