"""What runs in a sandbox ends with it, hears when it is to end, and is measured like everything of an agent's."""

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from hubs import HubProcess
from sandbox.trying import lines
from security.tasks import git, run, script
from swarm_api.client import HubClient
from swarm_worker.sandbox import Sandbox
from waiting import until

SLOW = "echo begun; touch here; until false; do sleep 0.05; done"


def named(*command: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == [*command]]


async def begun(hub: HubProcess, name: str = "here") -> None:
    await until(lambda: list(hub.data_dir.glob(f"worktrees/*/{name}")))


async def test_a_daemon_ends_with_what_started_it(client: HubClient, repo: Path) -> None:
    """Even one that left its session and forgot whose it is."""
    leave = {"run": "setsid -f env -i sleep 612; until pgrep -x sleep; do sleep 0.01; done"}
    task = await run(client, leave, {"run": "pgrep -x sleep"}, repo=str(repo))
    assert len(await lines(client, task)) == 1
    assert named("sleep", "612") == []


async def test_a_command_that_is_cancelled_is_asked_first(client: HubClient, hub: HubProcess, repo: Path) -> None:
    command = f"trap 'echo kept > kept; exit' TERM; {SLOW}"
    task = await client.submit({"prompt": script({"run": command}), "repo": str(repo)})
    await begun(hub)
    await client.cancel(task.id)
    task = await client.wait(task.id)
    assert task.result is not None
    assert git(repo, "show", f"{task.result.branch}:kept") == "kept"


async def test_one_that_does_not_want_to_end_is_ended(client: HubClient, hub: HubProcess, repo: Path) -> None:
    task = await client.submit({"prompt": script({"run": f"trap '' TERM INT; {SLOW}"}), "repo": str(repo)})
    await begun(hub)
    await client.cancel(task.id)
    assert (await client.wait(task.id)).status == "cancelled"
    await until(lambda: not hub.agent_processes())


@pytest.mark.parametrize("victim", ["swarm-worker", "bwrap"])
async def test_with_its_worker_or_its_walls_everything_in_it_ends(
    client: HubClient, hub: HubProcess, repo: Path, victim: str
) -> None:
    task = await client.submit({"prompt": script({"run": SLOW}), "repo": str(repo)})
    await begun(hub)
    (lock,) = hub.data_dir.glob("agents/*/lock")
    worker = psutil.Process(json.loads(lock.read_text())["pid"])
    next(process for process in [worker, *worker.children()] if process.name() == victim).kill()
    await client.wait(task.id)
    await until(lambda: not hub.agent_processes())


async def test_memory_beyond_the_tier_ends_it(client: HubClient, repo: Path) -> None:
    hog = "python3 -c 'import time; x = b\"x\" * (1200 << 20); time.sleep(600)'"
    task = await run(client, {"run": hog}, repo=str(repo), tier="light")
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.code == "out_of_memory"


@pytest.mark.parametrize(("command", "code"), [("exit 7", 7), ("kill -KILL $$", 137), ("no-such-command", 127)])
async def test_exit_codes(client: HubClient, repo: Path, command: str, code: int) -> None:
    task = await run(client, {"run": command}, repo=str(repo))
    assert f"exit {code}" in await lines(client, task, "tool")


async def test_a_verify_that_fails_says_what_it_said(client: HubClient, repo: Path) -> None:
    task = await run(client, {"done": "."}, repo=str(repo), verify="echo so it is; exit 3")
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.message == "`echo so it is; exit 3` exited with 3; its last words: so it is"


def test_a_sandbox_whose_worker_is_gone_already_runs_nothing(tmp_path: Path) -> None:
    command = Sandbox(("--bind", str(tmp_path), str(tmp_path))).command(tmp_path, ["touch", str(tmp_path / "mark")])
    gone = subprocess.Popen(["true"])
    gone.wait()
    command[command.index(str(os.getpid()))] = str(gone.pid)
    assert subprocess.run(command).returncode == 128 + signal.SIGKILL
    assert not (tmp_path / "mark").exists()
