"""The folder that the hub keeps about an agent is within the agent's reach: nothing it does there harms the hub."""

from pathlib import Path

import pytest

from hubs import HubProcess
from security.tasks import run
from swarm_api.client import HubClient

REPLACE = "cd {agents}/$SWARM_AGENT && rm {name} && {command}"
END_BADLY = {"kill_worker": True}


@pytest.mark.parametrize("name", ["lock", "output.log", "hub"])
@pytest.mark.parametrize("command", ["mkfifo {name}", "mkdir {name}", "ln -s /dev/zero {name}", "ln -s {name} {name}"])
async def test_a_worker_that_dies_is_buried_whatever_its_agent_left_there(
    hub: HubProcess, client: HubClient, name: str, command: str
) -> None:
    step = REPLACE.format(agents=hub.data_dir / "agents", name=name, command=command.format(name=name))
    task = await run(client, {"run": step}, END_BADLY)
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.code == "worker_lost"


async def test_the_hub_writes_nothing_through_a_link_that_an_agent_left_there(
    hub: HubProcess, client: HubClient, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_text("precious")
    step = f"ln -s {tmp_path / 'precious'} {hub.data_dir}/agents/$SWARM_AGENT/exit"
    await run(client, {"run": step}, END_BADLY)
    assert (tmp_path / "precious").read_text() == "precious"


async def test_a_worker_that_a_nameless_signal_killed_is_lost_like_any_other(client: HubClient) -> None:
    task = await run(client, {"run": "kill -40 $PPID"})
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.message == "killed by signal 40"
