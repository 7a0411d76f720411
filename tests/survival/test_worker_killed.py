"""What becomes of a task whose worker dies, hangs or is cancelled, and of what it had started."""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from hubs import HubProcess
from swarm_api.client import HubClient
from swarm_api.tasks import Task
from waiting import until

LIMIT = 60.0  # seconds
CANCEL_LIMIT = 15.0  # seconds: the contract's


def script(*steps: dict[str, Any]) -> str:
    return json.dumps(steps)


async def submitted(client: HubClient, repo: Path, *steps: dict[str, Any], **fields: Any) -> Task:
    return await client.submit({"prompt": script(*steps), "repo": str(repo), **fields})


async def said(client: HubClient, task: Task, text: str) -> None:
    """Until the agent has said something."""
    async with asyncio.timeout(LIMIT):
        async for line in client.follow_logs(task.id):
            if line.text == text:
                return
    raise AssertionError(f"the task ended without saying {text!r}")


async def ended(client: HubClient, task: Task) -> Task:
    async with asyncio.timeout(LIMIT):
        return await client.wait(task.id)


async def gone(hub: HubProcess) -> None:
    """Until no process of any agent is left."""
    await until(lambda: not hub.agent_processes(), LIMIT)


def worker_of(hub: HubProcess, agent_id: str | None) -> psutil.Process:
    pid = json.loads((hub.data_dir / "agents" / str(agent_id) / "lock").read_text())["pid"]
    return psutil.Process(pid)


async def worker(hub: HubProcess, client: HubClient, task: Task) -> psutil.Process:
    return worker_of(hub, (await client.task(task.id)).assigned_agent)


def branch_file(repo: Path, branch: str | None, path: str) -> str:
    shown = subprocess.run(["git", "show", f"{branch}:{path}"], cwd=repo, capture_output=True, text=True, check=True)
    return shown.stdout


async def test_a_killed_worker_fails_its_task_with_a_reason(hub: HubProcess, client: HubClient, repo: Path) -> None:
    task = await submitted(client, repo, {"say": "here"}, {"hang": True})
    await said(client, task, "here")
    (await worker(hub, client, task)).kill()
    task = await ended(client, task)
    assert task.status == "failed"
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.code == "worker_lost"


async def test_a_killed_worker_costs_an_attempt_when_there_are_more(
    hub: HubProcess, client: HubClient, repo: Path
) -> None:
    """The next attempt finds what the one before left in the worktree, and goes on with it."""
    first = (
        {"write": ["half.txt", "half"], "attempt": 1},
        {"say": "half done", "attempt": 1},
        {"hang": True, "attempt": 1},
    )
    task = await submitted(client, repo, *first, {"write": ["whole.txt", "whole"]}, maxAttempts=2)
    await said(client, task, "half done")
    (await worker(hub, client, task)).kill()
    task = await ended(client, task)
    assert (task.status, task.attempts) == ("completed", 2)
    assert task.result is not None
    assert branch_file(repo, task.result.branch, "half.txt") == "half"
    assert branch_file(repo, task.result.branch, "whole.txt") == "whole"


async def test_nothing_a_killed_worker_started_outlives_it(hub: HubProcess, client: HubClient, repo: Path) -> None:
    """Neither the shell that runs, in a session of its own, nor a daemon that left it."""
    task = await submitted(
        client, repo, {"spawn_daemon": "exec sleep 600"}, {"say": "daemon is up"}, {"run": "sleep 601"}
    )
    await said(client, task, "daemon is up")
    assert len(hub.agent_processes()) >= 2
    (await worker(hub, client, task)).kill()
    await ended(client, task)
    await gone(hub)


async def test_a_cancelled_task_keeps_its_work_and_leaves_no_process(
    hub: HubProcess, client: HubClient, repo: Path
) -> None:
    task = await submitted(
        client, repo, {"spawn_daemon": "exec sleep 600"}, {"write": ["kept.txt", "kept"]}, {"say": "written"},
        {"run": "sleep 601"},
    )  # fmt: skip
    await said(client, task, "written")
    await client.cancel(task.id)
    task = await ended(client, task)
    assert task.status == "cancelled"
    assert task.result is not None
    assert branch_file(repo, task.result.branch, "kept.txt") == "kept"
    await gone(hub)


async def test_an_agent_that_does_not_listen_is_cancelled_within_15_seconds(
    hub: HubProcess, client: HubClient, repo: Path
) -> None:
    task = await submitted(client, repo, {"write": ["kept.txt", "kept"]}, {"say": "deaf now"}, {"hang": True})
    await said(client, task, "deaf now")
    begin = time.monotonic()
    await client.cancel(task.id)
    task = await ended(client, task)
    assert task.status == "cancelled"
    assert time.monotonic() - begin < CANCEL_LIMIT
    assert task.result is not None
    assert branch_file(repo, task.result.branch, "kept.txt") == "kept"
    await gone(hub)


async def test_a_worker_that_does_not_answer_is_cancelled_within_15_seconds(
    hub: HubProcess, client: HubClient, repo: Path
) -> None:
    """Its state is final, it is fenced, and then it is killed with all that is its own."""
    task = await submitted(client, repo, {"say": "here"}, {"run": "sleep 600"})
    await said(client, task, "here")
    process = await worker(hub, client, task)
    process.suspend()
    begin = time.monotonic()
    await client.cancel(task.id)
    task = await ended(client, task)
    assert task.status == "cancelled"
    assert time.monotonic() - begin < CANCEL_LIMIT
    await gone(hub)


async def test_a_task_over_its_time_is_interrupted_and_its_work_kept(
    hub: HubProcess, client: HubClient, repo: Path
) -> None:
    task = await submitted(client, repo, {"write": ["kept.txt", "kept"]}, {"run": "sleep 600"}, timeoutMinutes=0.03)
    task = await ended(client, task)
    assert task.status == "failed"
    assert task.result is not None
    assert task.result.status == "timeout"
    assert branch_file(repo, task.result.branch, "kept.txt") == "kept"
    await gone(hub)


async def test_a_worker_told_to_end_keeps_the_work(hub: HubProcess, client: HubClient, repo: Path) -> None:
    """SIGTERM, as when the machine goes down: the task fails with a reason, and its branch has what was done."""
    task = await submitted(client, repo, {"write": ["kept.txt", "kept"]}, {"say": "written"}, {"run": "sleep 600"})
    await said(client, task, "written")
    (await worker(hub, client, task)).terminate()
    task = await ended(client, task)
    assert task.status == "failed"
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.code == "worker_stopped"
    assert branch_file(repo, task.result.branch, "kept.txt") == "kept"


async def test_an_agent_that_takes_more_memory_than_its_tier_is_ended(
    hub: HubProcess, client: HubClient, repo: Path
) -> None:
    hog = "python3 -c \"b = bytearray(1200 << 20); print('full', flush=True); import time; time.sleep(600)\""
    task = await submitted(client, repo, {"run": hog}, tier="light")
    task = await ended(client, task)
    assert task.status == "failed"
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.code == "out_of_memory"
    await gone(hub)


async def test_a_worker_goes_on_while_its_hub_is_away(
    start_hub: Callable[..., HubProcess], repo: Path, tmp_path: Path
) -> None:
    """It ends its work with nobody there, and the next hub has every line of it, in order."""
    hub = start_hub()
    lines = [{"run": f"echo {number}"} for number in range(5)]
    go = tmp_path / "go"
    ready = tmp_path / "ready"
    async with hub.client() as client:
        wait = {"run": f"until test -e {go}; do sleep 0.05; done"}
        task = await submitted(client, repo, {"say": "begun"}, wait, *lines, {"run": f"touch {ready}"})
        await said(client, task, "begun")
        hub.kill()
        go.touch()
        await until(ready.exists, LIMIT)
        hub.start()
        task = await ended(client, task)
        assert (task.status, task.attempts) == ("completed", 1)
        page = await client.logs(task.id)
    assert [line.text for line in page.lines if line.stream == "stdout"] == [str(number) for number in range(5)]
    assert [line.seq for line in page.lines] == list(range(1, len(page.lines) + 1))


async def test_stopping_the_hub_leaves_its_agents_running(
    start_hub: Callable[..., HubProcess], repo: Path, tmp_path: Path
) -> None:
    hub = start_hub()
    go = tmp_path / "go"
    async with hub.client() as client:
        wait = {"run": f"until test -e {go}; do sleep 0.05; done"}
        task = await submitted(client, repo, {"say": "begun"}, wait)
        await said(client, task, "begun")
        process = await worker(hub, client, task)
        assert hub.stop() == 0
        assert process.is_running()
        hub.start()
        go.touch()
        assert (await ended(client, task)).status == "completed"
