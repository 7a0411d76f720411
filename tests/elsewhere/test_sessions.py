"""The session of a real Claude Code goes on where the task goes on: on another machine, which never saw it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claude.driving import KEY
from elsewhere.machines import RemoteHub, remote_hub
from elsewhere.test_tasks import ended, ended_again
from scripted_api import ScriptedApi, Text, Turn, Usage, scripted_api

USAGE = Usage(input=1000, output=50)


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
async def hub(tmp_path: Path, api: ScriptedApi) -> AsyncIterator[RemoteHub]:
    """Its agents are Claude."""
    given = {"SWARM_RUNTIME": "claude", "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": api.url}
    async with remote_hub(tmp_path, **given) as hub:
        yield hub


async def test_a_retry_on_another_machine_goes_on_with_the_session(hub: RemoteHub, api: ScriptedApi) -> None:
    api.scripts["the task"] = [Turn((Text("I remember the blue house."),), USAGE)]
    async with hub.client() as client:
        submitted = await client.submit({"prompt": "Do the task.", "verify": "test -f never", "timeoutMinutes": 5})
        first = await ended(client, submitted)
        assert first.status == "failed", first.result
        api.scripts["the task"] = [Turn((Text("It is done."),), USAGE)]
        second = await ended_again(client, await client.retry(first.id))
    assert len(hub.fly.ever) == 2
    homes = [hub.machines.home(machine) for machine in hub.fly.ever]
    assert homes[0] != homes[1]
    assert "I remember the blue house." in api.seen[-1].request.text
    assert second.result is not None
    assert "session of the last attempt is lost" not in str(await _log(hub, first.id))


async def _log(hub: RemoteHub, task_id: str) -> list[str]:
    async with hub.client() as client:
        return [line.text for line in (await client.logs(task_id, limit=1000)).lines]
