"""The images: linted, and made step by step in an unpacked Debian, where hub and worker are tried."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.image import Images, Stage, missing
from elsewhere.machines import free_port
from frame.tree import ROOT
from swarm_hub.settings import Settings
from waiting import until

BUILT = ("gcc", "cc", "g++", "ld", "make")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("images")
    folder.chmod(0o755)
    for parent in folder.parents[:3]:
        if parent != Path("/tmp") and parent.owner() == "root":
            parent.chmod(0o755)
    yield Images(folder)
    subprocess.run(["rm", "-rf", folder], check=False)


@pytest.fixture(scope="module")
def hub(images: Images) -> Stage:
    return images.stage("hub")


@pytest.fixture(scope="module")
def worker(images: Images) -> Stage:
    return images.stage("worker")


def test_the_linter_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    run = subprocess.run([linter, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert run.stdout == ""
    assert run.returncode == 0


async def test_the_hub_of_the_image_answers_as_nobodys_root(hub: Stage) -> None:
    port = free_port()
    told = {"HOST": "127.0.0.1", "PORT": str(port), "JWT_SECRET": "s" * 40, "SIMULATE_MODE": "true"}
    process = subprocess.Popen(  # noqa: ASYNC220 - it takes no time, and is waited for below
        hub.command_line(hub.entrypoint), env=hub.variables(told), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}/health/live"
        await until(lambda: process.poll() is not None or _answers(url), 60)
        assert _answers(url), process.stdout and process.stdout.read().decode()
        [uid] = {line.split()[1] for line in _status(process.pid) if line.startswith("Uid:")}
        assert uid == "10001"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)


def test_the_health_check_of_the_image_is_a_program_in_it(hub: Stage) -> None:
    run = hub.run(hub.command)
    assert "Connection refused" in run.stderr  # nobody listens; but it could be asked


def test_the_worker_of_the_image_says_what_it_lacks(worker: Stage) -> None:
    run = worker.run(worker.entrypoint)
    assert run.returncode == 2
    assert "a worker is started by an executor" in run.stderr


@pytest.mark.parametrize(("name", "program"), [("hub", "swarm-hub"), ("worker", "swarm-worker")])
def test_nobody_stands_before_the_program_with_its_secrets(images: Images, name: str, program: str) -> None:
    """A program that seals itself is no use below another one whose environment the agent can read."""
    assert images.stage(name).entrypoint == [program]


def test_the_worker_has_the_runtime_and_git(worker: Stage) -> None:
    run = worker.run(["/opt/swarm/bin/python", "-c", "import claude_agent_sdk, swarm_worker.life"])
    assert run.returncode == 0, run.stderr
    assert worker.run(["git", "--version"]).returncode == 0


def test_neither_holds_the_other(hub: Stage, worker: Stage) -> None:
    assert hub.run(["/opt/swarm/bin/python", "-c", "import claude_agent_sdk"]).returncode != 0
    assert worker.run(["/opt/swarm/bin/python", "-c", "import sqlalchemy"]).returncode != 0


@pytest.mark.parametrize("name", ["hub", "worker"])
def test_nothing_of_the_making_is_left(images: Images, name: str) -> None:
    root = images.stage(name).root
    assert [found for found in BUILT[:-1] if (root / "usr/bin" / found).exists()] == []
    assert not (root / "src").exists()
    assert list((root / "var/lib/apt/lists").glob("*_Packages*")) == []
    assert not (root / "root/.cache/pip").exists()
    assert list((root / "opt/swarm/lib").glob("python3*/site-packages/pytest")) == []


@pytest.mark.parametrize(("name", "writable"), [("hub", ["/data", "/var/lib/swarm"]), ("worker", ["/var/lib/swarm"])])
def test_its_user_writes_to_its_own_folders_alone(images: Images, name: str, writable: list[str]) -> None:
    stage = images.stage(name)
    found = stage.run(["find", "/", "-xdev", "-type", "d", "-writable", "-not", "-path", "/proc/*"]).stdout.split()
    others = [path for path in found if not path.startswith((*writable, "/tmp", "/var/tmp", "/run/lock", "/dev"))]
    assert others == []
    assert set(writable) <= set(found)


def test_the_port_that_is_exposed_is_the_hubs(hub: Stage) -> None:
    assert hub.ports == [str(Settings().port)]
    assert hub.environment["PORT"] == str(Settings().port)
    assert str(Settings().port) in json.dumps(hub.command)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _status(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/status").read_text().splitlines()
