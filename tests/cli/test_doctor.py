"""`swarm doctor`: each thing this machine needs, and what mends what is wrong."""

import json
import socket
from pathlib import Path

import pytest

from cli.program import Swarm
from hubs import HubProcess


def verdicts(swarm: Swarm, **environ: str) -> dict[str, tuple[str, str, str]]:
    checks = json.loads(swarm("doctor", "--json", **environ).stdout)["checks"]
    return {check["name"]: (check["verdict"], check["found"], check["mend"]) for check in checks}


def test_a_machine_with_a_running_hub_is_well(tmp_path: Path, hub: HubProcess) -> None:
    run = Swarm(tmp_path)("doctor", ANTHROPIC_API_KEY="a-key")
    assert (run.returncode, run.stderr) == (0, "")
    assert f"ok at {hub.url}" in run.stdout
    assert "a-key" not in run.stdout


def test_a_hub_that_does_not_run_is_wrong_and_can_be_started(lonely: Swarm) -> None:
    assert lonely("doctor", PORT="0").returncode == 1
    assert verdicts(lonely, PORT="0")["hub"] == ("wrong", "does not run", "swarm orchestrator start --background")


def test_a_port_that_is_taken_is_wrong(lonely: Swarm) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert verdicts(lonely, PORT=str(port))["hub"][1].startswith(f"does not run, and port {port} cannot be had: ")


@pytest.mark.parametrize("script", ["echo git version 2.20.1", "exit 1"])
def test_a_git_that_is_too_old_or_broken_is_wrong(lonely: Swarm, script: str) -> None:
    git = lonely.folder / "git"
    git.write_text(f"#!/bin/sh\n{script}\n")
    git.chmod(0o755)
    assert verdicts(lonely, PATH=str(lonely.folder))["git"][0] == "wrong"


def test_no_git_is_wrong(lonely: Swarm) -> None:
    assert verdicts(lonely, PATH=str(lonely.folder))["git"][:2] == ("wrong", "not on the PATH")


def test_a_data_folder_that_cannot_be_written_is_wrong(lonely: Swarm) -> None:
    found = verdicts(lonely, SWARM_DATA_DIR="/proc/data")["data folder"]
    assert found[0] == "wrong"
    assert found[2] == "set SWARM_DATA_DIR"


def test_a_config_that_is_wrong_is_told(lonely: Swarm) -> None:
    config = lonely.folder / "home/.config/claude-swarm/config.json"
    config.parent.mkdir(parents=True)
    config.write_text("[]")
    assert verdicts(lonely)["config"][0] == "wrong"


def test_simulated_agents_need_no_key(lonely: Swarm) -> None:
    assert verdicts(lonely, SIMULATE_MODE="true")["key"] == ("ok", "simulated: no key needed", "")


def test_the_agents_of_a_running_hub_that_simulates_need_no_key(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path, SIMULATE_MODE="true")
    hub.start()
    assert verdicts(Swarm(tmp_path))["key"][0] == "ok"
    hub.stop()


def test_no_key_is_worth_a_note_and_no_more(lonely: Swarm) -> None:
    assert verdicts(lonely)["key"][0] == "note"
