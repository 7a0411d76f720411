"""The four ways to work where nobody sits: no terminal, no keyring, a home with nothing in it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli.program import Swarm
from hubs import ADMIN_KEY, HubProcess
from swarm_api.access import access
from swarm_api.client import HubClient

ANTHROPIC_KEY = "sk-ant-api03-" + "k" * 40
FLY_TOKEN = "fo1_" + "f" * 40


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Swarm]:
    """One with a hub of its own, which is gone at the end."""
    swarm = Swarm(tmp_path, PORT="0", SWARM_REPO_ROOTS=str(tmp_path))
    assert os.listdir(swarm.folder / "home") == []  # noqa: PTH208
    yield swarm
    swarm("orchestrator", "stop")


@pytest.fixture
def runner(tmp_path: Path) -> Swarm:
    """One without a hub, such as a build runs on."""
    folder = tmp_path / "runner"
    folder.mkdir()
    return Swarm(folder)


def left_at_home(swarm: Swarm) -> list[str]:
    home = swarm.folder / "home"
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def test_1_keys_in_the_environment(machine: Swarm) -> None:
    """`submit` finds the credential that the hub leaves for its user."""
    keys = {"ANTHROPIC_API_KEY": ANTHROPIC_KEY, "FLY_API_TOKEN": FLY_TOKEN}
    started = machine("orchestrator", "start", "--background", ANTHROPIC_API_KEY=ANTHROPIC_KEY)
    assert started.returncode == 0, started.stderr
    run = machine("submit", "-p", "Run tests", "--hold", "--json", **keys)
    assert run.returncode == 0, run.stderr
    task = json.loads(run.stdout)
    assert json.loads(machine("status", task["id"], "--json").stdout)["status"] == "pending"
    assert ANTHROPIC_KEY not in run.stdout + run.stderr


def test_2_settings_and_keys_from_stdin(machine: Swarm) -> None:
    """The hub that is started afterwards has the key: else its start would warn that there is none."""
    given = machine("setup", "--stdin", stdin=json.dumps({"anthropicApiKey": ANTHROPIC_KEY}))
    assert given.returncode == 0, given.stderr
    started = machine("orchestrator", "start", "--background")
    assert (started.returncode, "ANTHROPIC_API_KEY" in started.stderr) == (0, False)
    assert machine("submit", "-p", "Run tests", "--hold").returncode == 0
    assert ANTHROPIC_KEY not in given.stdout + given.stderr + started.stdout + started.stderr


async def test_3_a_token_in_the_environment(runner: Swarm, hub: HubProcess) -> None:
    async with hub.client() as client:
        token = (await client.token(ADMIN_KEY)).token
    run = runner("submit", "-p", "Run tests", "--hold", SWARM_URL=hub.url, SWARM_JWT=token)
    assert run.returncode == 0, run.stderr
    async with hub.client() as client:
        assert (await client.task(run.stdout.strip())).prompt == "Run tests"
    assert left_at_home(runner) == []


async def test_4_a_key_in_the_environment(runner: Swarm, hub: HubProcess) -> None:
    run = runner("submit", "-p", "Run tests", "--hold", SWARM_URL=hub.url, SWARM_API_KEY=ADMIN_KEY)
    assert run.returncode == 0, run.stderr
    async with hub.client() as client:
        assert (await client.task(run.stdout.strip())).prompt == "Run tests"
    assert left_at_home(runner) == []


@pytest.mark.parametrize("credential", ["none", "key", "token"])
def test_without_a_good_credential_nothing_is_handed_out(runner: Swarm, hub: HubProcess, credential: str) -> None:
    wrong = {
        "none": {},
        "key": {"SWARM_API_KEY": "sk_swarm_another_" + "k" * 40},
        "token": {"SWARM_JWT": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJsb2NhbCJ9.c2ln"},
    }[credential]
    run = runner("submit", "-p", "Run tests", SWARM_URL=hub.url, **wrong)
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr.endswith("swarm login\n")


async def test_a_program_finds_the_hub_of_its_machine_as_the_commands_do(machine: Swarm) -> None:
    url = machine("orchestrator", "start", "--background", SIMULATE_MODE="true").stdout.split()[-1]
    async with HubClient(url, access(url, machine.environ)) as client:
        assert (await client.queue()).pending == 0


def test_no_credential_stands_in_the_arguments_of_a_process(machine: Swarm) -> None:
    """Of the hub that a start with keys leaves, for one: everybody on a machine can read those."""
    machine("orchestrator", "start", "--background", ANTHROPIC_API_KEY=ANTHROPIC_KEY)
    note = json.loads((machine.folder / "data/hub.json").read_text())
    hub = psutil.Process(note["pid"])
    arguments = " ".join(word for process in (hub, *hub.children(recursive=True)) for word in process.cmdline())
    for secret in (ANTHROPIC_KEY, note["token"]):
        assert secret not in arguments
