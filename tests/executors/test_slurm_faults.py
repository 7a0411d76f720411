"""Every single call to Slurm fails in every way there is, and it ends right: no worker doubled, none lost, none left.

The cluster is a real one, behind a proxy that spoils calls; the lives of one fault go on at once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from executors.clouds import FAULTS, Fault, Faulty, serving
from executors.conformance import launch
from executors.slurm_cluster import SlurmCluster
from executors.slurm_place import SlurmPlace
from executors.waiting import again
from swarm_executors.calls import Patience
from swarm_executors.protocol import Handle
from swarm_executors.slurm import SlurmExecutor
from swarm_executors.slurm_jobs import Cluster

HASTY = Patience(timeout=3, tries=3, first=0.01, most=0.05)
CALLS = 8  # of one life, at least: each life says so itself


def forwarding(http: httpx.AsyncClient) -> Starlette:
    """What stands in front of slurmrestd, and changes nothing."""

    async def forward(request: Request) -> Response:
        answer = await http.request(
            request.method, request.url.path, params=dict(request.query_params), content=await request.body(),
            headers={"content-type": request.headers.get("content-type", "application/json")},
        )  # fmt: skip
        return Response(answer.content, answer.status_code, media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST", "DELETE"])])


async def life(place: SlurmPlace, cluster: SlurmCluster, like: Cluster, plan: Callable[[int], Fault | None]) -> Handle:
    """Of one worker: started, looked at, stopped, looked at, through a proxy of its own."""
    transport = httpx.AsyncHTTPTransport(uds=str(cluster.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=20) as http:
        faulty = Faulty(forwarding(http), plan)
        async with serving(faulty) as url:
            executor = place.of(replace(like, url=url), HASTY)
            order = launch(executor)
            handle = await again(lambda: executor.start(order))
            await place.is_ready(handle)
            assert (await executor.poll(handle)).state in ("alive", "unknown")
            await again(lambda: executor.stop(handle, 10))
            assert await ended(executor, handle) == "exited"
            await executor.aclose()
        assert len(faulty.calls) >= CALLS, faulty.calls
    return handle


async def ended(executor: SlurmExecutor, handle: Handle) -> str:
    """What it is in the end: `unknown` asks again."""
    async with asyncio.timeout(10):
        while (seen := (await executor.poll(handle)).state) == "unknown":  # noqa: ASYNC110 - polling is what is tested
            await asyncio.sleep(0.01)
    return seen


@pytest.mark.parametrize("fault", FAULTS)
async def test_one_spoiled_call_doubles_nothing_and_loses_nothing(slurm: SlurmCluster, fault: Fault) -> None:
    place = SlurmPlace(slurm)
    like = place.executor()._cluster
    plans = [_only(call, fault) for call in range(CALLS)]
    try:
        handles = await asyncio.gather(*(life(place, slurm, like, plan) for plan in plans))
        jobs = await place.executor()._jobs()
        for handle in handles:
            mine = [job for job in jobs if job["name"] == handle["name"]]
            ran = [job for job in mine if job.get("nodes")]
            assert [job["job_id"] for job in ran] == [handle["jobId"]], mine
            assert place.starts(handle["agentId"]) == 1
            assert not place.is_running(handle["agentId"])
        assert await place.executor().list("hub-under-test") == []
    finally:
        await place.aclose()


def _only(call: int, fault: Fault) -> Callable[[int], Fault | None]:
    return lambda number: fault if number == call else None
