"""What is deployed is described by files that hold together: with the code, with each other, and with their readers."""

import re
import shutil
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from frame.tree import ROOT
from swarm_hub.settings import Settings
from swarm_hub.settings_table import LATER, SETTINGS

KNOWN = {
    "app", "primary_region", "kill_signal", "kill_timeout", "swap_size_mb", "console_command", "build", "deploy", "env",
    "http_service", "services", "mounts", "vm", "restart", "checks", "processes", "metrics", "statics", "files",
}  # fmt: skip
"""https://fly.io/docs/reference/configuration/"""
SERVICE = {"internal_port", "force_https", "auto_stop_machines", "auto_start_machines", "min_machines_running",
           "concurrency", "checks"}  # fmt: skip
MOUNT = {"source", "destination", "initial_size", "snapshot_retention", "scheduled_snapshots",
         "auto_extend_size_threshold", "auto_extend_size_increment", "auto_extend_size_limit"}  # fmt: skip
VARIABLES = {setting.variable for setting in SETTINGS.values()}
ELSEWHERE = {"AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "SWARM_HOST", "SWARM_URL"}


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text())


def test_flys_file_has_only_keys_that_fly_knows() -> None:
    hub = toml("fly.toml")
    assert set(hub) <= KNOWN
    assert set(hub["http_service"]) <= SERVICE
    assert set(hub["mounts"]) <= MOUNT
    assert set(toml("deploy/fly-worker.toml")) <= KNOWN


def test_the_hub_on_fly_is_never_stopped_for_being_idle() -> None:
    service = toml("fly.toml")["http_service"]
    assert (service["auto_stop_machines"], service["min_machines_running"]) == ("off", 1)
    assert service["internal_port"] == Settings().port
    assert [check["path"] for check in service["checks"]] == ["/health/live"]


def test_the_hub_on_fly_keeps_its_data_on_a_volume() -> None:
    assert toml("fly.toml")["mounts"]["destination"] == "/data"
    assert "SWARM_DATA_DIR=/data" in (ROOT / "Dockerfile").read_text()


def test_the_hub_on_fly_has_more_time_to_end_than_it_drains_for() -> None:
    hub = toml("fly.toml")
    assert hub["kill_signal"] == "SIGTERM"
    assert int(hub["env"]["SWARM_DRAIN_SECONDS"]) < hub["kill_timeout"] <= 300


def test_flys_settings_are_the_hubs_and_hold_no_secret() -> None:
    given = toml("fly.toml")["env"]
    assert set(given) <= VARIABLES - {setting.variable for setting in SETTINGS.values() if setting.secret}
    for variable, value in given.items():
        next(each for each in SETTINGS.values() if each.variable == variable).parse(value)


def test_the_worker_app_has_nothing_that_would_be_run() -> None:
    worker = toml("deploy/fly-worker.toml")
    assert worker["build"]["build-target"] == "worker"
    assert not {"http_service", "services", "processes", "mounts"} & set(worker)
    assert worker["app"] == toml("fly.toml")["env"]["FLY_APP_NAME"]


@pytest.mark.parametrize("name", ["test.yml", "deploy.yml"])
def test_a_workflow_may_do_no_more_than_read(name: str) -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows" / name).read_text())
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(re.search(r"@v\d", step["uses"]) for step in steps if "uses" in step)
    assert all("permissions" not in job for job in workflow["jobs"].values())


def test_tests_are_what_they_are_here() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    assert any(".ci/run" in step.get("run", "") for step in workflow["jobs"]["test"]["steps"])


def test_a_deployment_waits_for_the_tests() -> None:
    text = (ROOT / ".github/workflows/deploy.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow[True]["workflow_run"]["workflows"] == ["test"]  # YAML 1.1 reads `on` as true
    assert "github.event.workflow_run.conclusion == 'success'" in text


def test_agents_outlive_the_hub_under_systemd() -> None:
    unit = (ROOT / "deploy/swarm-hub.service").read_text()
    assert "\nKillMode=process\n" in unit
    told = dict(re.findall(r"(\w+)=(\S+)", unit))
    drain = re.search(r"SWARM_DRAIN_SECONDS=(\d+)", unit)
    assert drain is not None
    assert int(drain[1]) < int(told["TimeoutStopSec"])


def test_systemd_takes_the_unit() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    run = subprocess.run(["systemd-analyze", "verify", ROOT / "deploy/swarm-hub.service"], capture_output=True,
                         text=True, check=False)  # fmt: skip
    wrong = [line for line in run.stderr.splitlines() if "swarm-hub.service" in line and "not executable" not in line]
    assert wrong == []


def test_compose_runs_the_hub_with_as_little_as_it_needs() -> None:
    hub = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]["hub"]
    assert hub["build"]["target"] == "hub"
    assert (hub["read_only"], hub["cap_drop"]) == (True, ["ALL"])
    assert all(port.startswith("127.0.0.1:") for port in hub["ports"])
    assert set(hub["environment"]) <= VARIABLES


def test_azures_job_never_runs_a_worker_twice() -> None:
    job = (ROOT / "deploy/azure-job.bicep").read_text()
    assert re.search(r"replicaRetryLimit: 0\b", job)
    assert "triggerType: 'Manual'" in job
    assert re.search(r"parallelism: 1\b", job)


def test_the_page_about_deployment_names_settings_that_there_are() -> None:
    page = (ROOT / "docs/deploy.md").read_text()
    named = set(re.findall(r"\b(?:SWARM|FLY|AZURE|SLURM|GITHUB|ANTHROPIC|JWT|PUBLIC|TRUSTED|EXECUTOR)_[A-Z_]+\b", page))
    assert named <= VARIABLES | ELSEWHERE | LATER
