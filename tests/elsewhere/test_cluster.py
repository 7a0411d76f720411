"""A hub whose agents are jobs of a real Slurm cluster: a node that is lost leaves a worker that is turned away."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from elsewhere.machines import free_port
from elsewhere.test_tasks import ended, git, running, script
from executors.slurm_cluster import SlurmCluster, running_cluster
from hubs import HubProcess
from waiting import until

SITE = [path for path in sys.path if path.endswith("site-packages")]
ROOT = Path(__file__).parents[2]
WORKER = """#!/bin/sh
export HOME={home} PYTHONPATH={paths} PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 -c 'import sys; from swarm_worker.main import main; sys.exit(main())'
"""


@pytest.fixture
def cluster() -> Iterator[SlurmCluster]:
    if reason := _other_python():
        pytest.skip(reason)
    with running_cluster() as cluster:
        worker = cluster.folder / "swarm-worker"
        paths = ":".join([*SITE, str(ROOT / "worker"), str(ROOT / "api")])
        worker.write_text(WORKER.format(home=f"{cluster.folder}/jobs/$SLURM_JOB_ID", paths=paths))
        worker.chmod(0o755)
        yield cluster


@pytest.fixture
def on_cluster(tmp_path: Path, cluster: SlurmCluster) -> Iterator[HubProcess]:
    port = free_port()
    hub = HubProcess(
        tmp_path, EXECUTOR_TYPE="slurm", PORT=str(port), PUBLIC_URL=f"http://127.0.0.1:{port}",
        SLURM_REST_URL=cluster.url, SLURM_WORKER=f"{cluster.folder}/swarm-worker",
        SLURM_FOLDER=f"{cluster.folder}/jobs",
    )  # fmt: skip
    hub.start()
    yield hub
    hub.kill()
    _end_workers(cluster)


async def test_thirty_tasks_on_two_nodes_complete_once_each(
    on_cluster: HubProcess, cluster: SlurmCluster, repo: Path
) -> None:
    async with on_cluster.client() as client:
        tasks = [
            await client.submit(
                {"prompt": script({"write": [f"{n}.txt", f"{n}\n"]}), "repo": str(repo), "tier": "light"}
            )
            for n in range(30)
        ]
        done = [await ended(client, task) for task in tasks]
        assert {(task.status, task.attempts) for task in done} == {("completed", 1)}, [task.result for task in done]
    branches = git(repo, "branch", "--list", "swarm/*").splitlines()
    assert len(branches) == 30
    assert {"n1", "n2"} <= set(cluster.say("show", "jobs").replace("BatchHost=", " ").split())


async def test_the_worker_of_a_lost_node_is_turned_away_and_stops(
    on_cluster: HubProcess, cluster: SlurmCluster, repo: Path, tmp_path: Path
) -> None:
    steps = script({"wait_file": "/never", "attempt": 1}, {"write": ["second.txt", "2\n"], "attempt": 2})
    async with on_cluster.client() as client:
        task = await client.submit({"prompt": steps, "repo": str(repo), "maxAttempts": 2})
        await running(on_cluster, client, task)
        [worker] = _workers(cluster)
        [job] = [line for line in cluster.say("show", "jobs").split() if line.startswith("BatchHost=")]
        node = job.removeprefix("BatchHost=")
        cluster.kill(node)
        cluster.say("update", f"nodename={node}", "state=down", "reason=test")
        task = await ended(client, task)
        assert (task.status, task.attempts) == ("completed", 2), task.result
        await until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 40)
        assert task.result is not None
        assert task.result.files_changed == ["second.txt"]


def _workers(cluster: SlurmCluster) -> list[psutil.Process]:
    """Known by their folder: of their environment they let nobody see anything."""
    return [each for each in psutil.process_iter() if _is_worker(each, cluster)]


def _is_worker(process: psutil.Process, cluster: SlurmCluster) -> bool:
    try:
        return "swarm_worker.main" in " ".join(process.cmdline()) and str(cluster.folder) in process.cwd()
    except psutil.Error:
        return False


def _end_workers(cluster: SlurmCluster) -> None:
    for worker in _workers(cluster):
        worker.kill()


def _other_python() -> str:
    """The packages of this one are compiled for its own version."""
    wanted = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = Path("/usr/bin/python3").resolve().name
    return "" if found == wanted else f"the nodes' Python is {found}, and the packages are for {wanted}"
