"""A worker's first moments: what it is told, what it hides, and when it goes away again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from hub.played import PlayedHub, Worker, played_hub
from swarm_hub.endings import lose
from swarm_worker.launch import take_lock
from worker.ground import git
from worker.scripts import script
from worker.waiting import is_whole_line, until, wait_until
from worker.workers import PROGRAM, carried, worker_process

NOWHERE = "http://127.0.0.1:1"
AGENT = "local-agent-0a1b2c3d"
TOKEN = "a-token-to-be-looked-for"
linux = pytest.mark.skipif(sys.platform != "linux", reason="of Linux alone")


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


async def spawned(hub: PlayedHub, *steps: dict[str, object]) -> Worker:
    task = await hub.client.submit({"prompt": script(*steps)})
    return await hub.worker(task.id)


def test_without_its_variables_it_says_what_is_missing() -> None:
    run = subprocess.run([PROGRAM], env={"SWARM_HUB_URL": NOWHERE}, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (
        2, "swarm-worker: a worker is started by an executor, with its variables: 'SWARM_AGENT_ID'\n",
    )  # fmt: skip


def test_one_that_is_told_to_end_before_its_hub_answers_ends_at_once(tmp_path: Path) -> None:
    with worker_process(tmp_path, NOWHERE, AGENT, TOKEN) as worker:
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(0.5)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(5) == 0


@linux
def test_the_token_is_not_to_be_read_from_its_environment(tmp_path: Path) -> None:
    """Not even by root, who may read another process's environment."""
    variables = {"SWARM_AGENT": AGENT, "SWARM_AGENT_ID": AGENT, "SWARM_HUB_URL": NOWHERE, "SWARM_WORKER_TOKEN": TOKEN}
    with subprocess.Popen([PROGRAM], env=variables, cwd=tmp_path) as worker:
        environ = Path(f"/proc/{worker.pid}/environ")
        wait_until(lambda: b"SWARM_WORKER_TOKEN=\0" in environ.read_bytes(), 5)
        assert TOKEN.encode() not in environ.read_bytes()
        worker.kill()


@linux
def test_its_memory_is_closed_to_its_children_until_they_are_programs_of_their_own() -> None:
    """`PR_GET_DUMPABLE` is 3. It must not be inherited: the agent's own tools may be debugged."""
    ask = "import ctypes; print(ctypes.CDLL(None).prctl(3), flush=True)"
    become = f"import os; os.execv({sys.executable!r}, ['python', '-c', {ask!r}])"
    program = f"from swarm_worker.seal import seal; seal(); {ask}; {become}"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "0\n1\n"


@linux
def test_the_lock_names_the_process_and_its_children_do_not_get_it(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(fd, True)
    take_lock({"SWARM_LOCK_FD": str(fd)})
    who = json.loads((tmp_path / "lock").read_text())
    assert who == {"pid": os.getpid(), "startTime": psutil.Process()._ident[1]}  # type: ignore[attr-defined]
    assert not os.get_inheritable(fd)
    os.close(fd)


def test_a_lock_that_names_it_already_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("written by the executor")
    fd = os.open(tmp_path / "lock", os.O_RDWR)
    take_lock({"SWARM_LOCK_FD": str(fd)})
    assert (tmp_path / "lock").read_text() == "written by the executor"
    os.close(fd)


@pytest.mark.parametrize("token", ["wrong", ""])
async def test_a_token_that_is_not_its_own_is_refused(hub: PlayedHub, tmp_path: Path, token: str) -> None:
    agent = await spawned(hub)
    with worker_process(tmp_path, hub.url, agent.agent_id, token) as worker:
        assert await asyncio.to_thread(worker.wait, 10) == 3


async def test_the_second_worker_of_an_agent_goes_away(hub: PlayedHub) -> None:
    agent = await spawned(hub)
    await agent.claim()
    with carried(hub, agent.agent_id) as worker:
        assert await asyncio.to_thread(worker.wait, 10) == 3


async def test_a_worker_that_finds_no_hub_claims_when_there_is_one(hub: PlayedHub, tmp_path: Path) -> None:
    agent = await spawned(hub, {"say": "late but here"})
    door = asyncio.Event()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        door.set()
        writer.close()

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with carried(hub, agent.agent_id, url) as worker:
        await door.wait()
        server.close()
        assert worker.poll() is None


async def test_a_worker_that_lost_its_task_stops_and_keeps_the_work(hub: PlayedHub, tmp_path: Path, repo: Path) -> None:
    task = await hub.client.submit({
        "prompt": script({"run": "echo hello > a.txt; echo > here"}, {"wait_file": "never"}), "repo": str(repo),
    })  # fmt: skip
    agent = await hub.worker(task.id)
    with carried(hub, agent.agent_id) as worker:
        worktrees = hub.parts.settings.data_dir / "worktrees"
        await until(lambda: any(is_whole_line(path / "here") for path in worktrees.glob("*")))
        await hub.parts.store.write(lambda tx: lose(tx, agent.agent_id, "worker_lost", "given up"))
        assert await asyncio.to_thread(worker.wait, 10) == 4
    branch = git(repo, "branch", "--list", "swarm/*", "--format=%(refname)")
    assert git(repo, "show", f"{branch}:a.txt") == "hello"


def test_what_a_worker_imports_before_its_claim_is_little() -> None:
    program = "import sys, swarm_worker.main; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"asyncio", "pydantic", "httpx", "psutil", "claude_agent_sdk", "subprocess", "dataclasses", "pathlib"}
    assert heavy & set(run.stdout.split()) == set()
