"""`swarm provider`: where agents run, and where those of the next hub shall."""

import json
from pathlib import Path

import pytest

from cli.program import Swarm
from hubs import HubProcess


@pytest.fixture
def beside(tmp_path: Path, hub: HubProcess) -> Swarm:
    """`swarm` of the user whose hub it is."""
    return Swarm(tmp_path)


def test_it_is_the_hubs_beside_what_is_configured(beside: Swarm, hub: HubProcess) -> None:
    run = beside("provider")
    first, *_, last = run.stdout.splitlines()
    assert (run.returncode, run.stderr) == (0, "")
    assert first == f"● local at {hub.url}, up to 20 agents"
    assert last == "configured: local (default)"


def test_json_is_the_apis_own(beside: Swarm) -> None:
    found = json.loads(beside("provider", "--json").stdout)
    assert (found["type"], found["healthy"]) == ("local", True)


def test_without_a_hub_it_is_what_is_configured(lonely: Swarm, unused_tcp_port: int) -> None:
    run = lonely("provider", EXECUTOR_TYPE="azure", PORT=str(unused_tcp_port))
    assert (run.returncode, run.stdout) == (5, "configured: azure (EXECUTOR_TYPE)\n")


def test_a_name_is_set_for_the_next_hub_and_the_one_that_runs_stays(beside: Swarm) -> None:
    run = beside("provider", "fly")
    config = beside.folder / "home/.config/claude-swarm/config.json"
    assert (run.returncode, run.stdout) == (0, f"fly, in {config}\n")
    assert json.loads(config.read_text()) == {"executorType": "fly"}
    refused, stays = run.stderr.splitlines()
    assert refused == "warning: workers at fly reach a hub by its PUBLIC_URL, which it needs for that"
    assert stays.startswith("warning: the hub that runs stays with what it has: ")
    assert json.loads(beside("provider", "--json").stdout)["type"] == "local"


def test_a_name_is_set_without_a_hub_too(lonely: Swarm) -> None:
    run = lonely("provider", "local", PORT="0")
    assert (run.returncode, run.stderr) == (0, "")
    assert lonely("config", "get", "executorType").stdout == "local\n"


def test_a_variable_that_wins_is_told(lonely: Swarm) -> None:
    run = lonely("provider", "local", EXECUTOR_TYPE="local", PORT="0")
    assert run.stderr == "warning: EXECUTOR_TYPE is set here, and wins\n"


def test_a_provider_that_there_is_not(lonely: Swarm) -> None:
    run = lonely("provider", "moon")
    assert (run.returncode, run.stdout) == (2, "")
    assert "'moon' is not one of 'local', 'fly', 'azure', 'slurm'" in run.stderr
