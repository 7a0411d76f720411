"""A real cluster loses a node, its controller, and answers; thirty workers end once each."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest

from executors.conformance import launch
from executors.slurm_cluster import SlurmCluster, running_cluster
from executors.slurm_place import SlurmPlace
from executors.waiting import until_ended
from swarm_executors.protocol import Handle, Observation
from swarm_executors.slurm import SlurmExecutor
from waiting import until


@pytest.fixture
def cluster() -> Iterator[SlurmCluster]:
    """One that the test may break."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def place(cluster: SlurmCluster) -> SlurmPlace:
    return SlurmPlace(cluster)


async def test_thirty_workers_on_two_nodes_end_once_each(place: SlurmPlace) -> None:
    executor = place.running("Path('ready').touch(); sys.exit(3)")
    orders = [launch(executor) for _ in range(30)]
    handles = await asyncio.gather(*(executor.start(order) for order in orders))
    await asyncio.gather(*(until_ended(executor, handle, 120) for handle in handles))
    seen = [await executor.poll(handle) for handle in handles]
    assert {(each.state, each.exit_code) for each in seen} == {("exited", 3)}
    assert [place.starts(order.agent_id) for order in orders] == [1] * 30
    nodes = Counter((place.folder(order.agent_id) / "node").read_text() for order in orders)
    assert set(nodes) == {"n1", "n2"}
    await place.aclose()


async def test_a_node_that_is_lost_leaves_a_worker_running_that_counts_as_lost(
    place: SlurmPlace, cluster: SlurmCluster
) -> None:
    executor = place.executor()
    handle = await executor.start(launch(executor))
    await place.is_ready(handle)
    node, pid = (place.folder(handle["agentId"]) / "node").read_text(), place.pid(handle)
    cluster.kill(node)
    cluster.say("update", f"nodename={node}", "state=down", "reason=test")
    await until_ended(executor, handle)
    seen = await executor.poll(handle)
    assert (seen.state, seen.cause) == ("lost", "host_lost")
    assert psutil.pid_exists(pid)
    assert place.starts(handle["agentId"]) == 1  # and Slurm itself has not begun it anew
    os.kill(pid, 9)
    await place.aclose()


async def test_a_controller_that_was_killed_knows_its_jobs_again(place: SlurmPlace, cluster: SlurmCluster) -> None:
    executor = place.executor()
    handles = [await executor.start(launch(executor)) for _ in range(2)]
    for handle in handles:
        await place.is_ready(handle)
    await until(lambda: all(handle["name"] in cluster.saved() for handle in handles))
    cluster.kill("controller")
    pid = place.pid(handles[0])
    place.finish(handles[0], 7)
    await until(lambda: not _runs(pid))
    assert (await executor.poll(handles[1])).state == "unknown"
    cluster.start_controller()
    await asyncio.to_thread(cluster.until_up)
    assert await _known(executor, handles[0]) == ("exited", 7)
    assert (await executor.poll(handles[1])).state == "alive"
    await place.aclose()


async def test_a_submission_whose_answer_was_lost_is_found_by_its_name(place: SlurmPlace) -> None:
    executor = place.executor()
    order = launch(executor)
    first = await executor.start(order)
    assert await place.executor().start(order) == first
    await place.aclose()


async def _known(executor: SlurmExecutor, handle: Handle) -> tuple[str, int | None]:
    """What it is, once it is neither alive nor unknown."""
    async with asyncio.timeout(60):
        while (seen := await executor.poll(handle)).state in ("alive", "unknown"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return _short(seen)


def _short(seen: Observation) -> tuple[str, int | None]:
    return seen.state, seen.exit_code


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
