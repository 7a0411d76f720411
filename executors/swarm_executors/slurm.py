"""Workers as jobs of a Slurm cluster, over slurmrestd."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import httpx

from swarm_executors.calls import Calls, Patience
from swarm_executors.protocol import (
    Ambiguous,
    ExecutorError,
    Gone,
    Handle,
    Launch,
    Observation,
    Refused,
    StartFailed,
    Throttled,
)
from swarm_executors.slurm_errors import AlreadyEnded, judge
from swarm_executors.slurm_jobs import Cluster, handle_of, hears, name_of, observe, runs, submission

LOOK_AGAIN = 0.25  # seconds between two looks at a job that is ending
KILL_WAIT = 90.0  # seconds after its grace within which a job must have ended; Slurm's own KillWait is 30
Job = Mapping[str, Any]


class SlurmExecutor:
    name = "slurm"
    region: str | None = None

    def __init__(self, cluster: Cluster, patience: Patience | None = None, poll_every: float = 5.0) -> None:
        self.poll_every = poll_every
        self._cluster = cluster
        socket = cluster.url.removeprefix("unix:") if cluster.url.startswith("unix:") else None
        http = httpx.AsyncClient(
            base_url="http://localhost" if socket else cluster.url,
            transport=httpx.AsyncHTTPTransport(uds=socket) if socket else None,
        )
        self._calls = Calls(http, judge, self._headers, patience or Patience())
        self._root = f"/slurm/{cluster.version}"
        self._starting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def start(self, launch: Launch) -> Handle:
        """There is no key by which Slurm would know a submission again: the job's name is looked for instead."""
        async with self._starting.setdefault(launch.agent_id, asyncio.Lock()):
            try:
                return await self._start(launch)
            except Refused as refused:
                raise StartFailed(f"{launch.agent_id} cannot be started: {refused}") from refused

    async def poll(self, handle: Handle) -> Observation:
        try:
            job = await self._job(handle, patiently=False)
        except Gone:
            return Observation("lost", detail="Slurm knows nothing of its job")
        except ExecutorError as error:
            return Observation("unknown", detail=str(error))
        return observe(job)

    async def stop(self, handle: Handle, grace: float) -> None:
        path = f"{self._root}/job/{handle['jobId']}"
        try:
            if hears(await self._job(handle)):
                await self._calls.steadily("DELETE", path, params={"signal": "SIGTERM"})
                await self._until_ended(handle, grace)
            if runs(await self._job(handle)):
                await self._calls.steadily("DELETE", path)
                if not await self._until_ended(handle, KILL_WAIT):
                    raise ExecutorError(f"the job {handle['jobId']} does not end")
        except (Gone, AlreadyEnded):
            return

    async def list(self, hub_id: str) -> Sequence[Handle]:
        handles = [handle_of(job) for job in await self._jobs() if runs(job)]
        return [handle for handle in handles if handle is not None and handle["hub"] == hub_id]

    async def ready(self) -> str:
        """What keeps workers from being started there; nothing, when all is well."""
        try:
            answer = await self._calls.steadily("GET", f"{self._root}/ping")
        except ExecutorError as error:
            return str(error)
        pings = answer.get("pings") or [{}]
        up = any(ping.get("ping") == "UP" or ping.get("pinged") == "UP" for ping in pings)
        return "" if up else "slurmrestd does not reach a controller"

    async def aclose(self) -> None:
        await self._calls.aclose()

    async def _start(self, launch: Launch) -> Handle:
        """Submitted once more only when what may have been submitted before was looked for.

        Two hubs, or two calls of one, may both have submitted: the first job of the name is the agent's.
        """
        body, name = submission(launch, self._cluster), name_of(launch)
        for failed in range(1, self._calls.patience.tries + 1):
            if (not launch.first or failed > 1) and (found := await self._one(launch)) is not None:
                return found
            try:
                answer = await self._calls.once("POST", f"{self._root}/job/submit", json=body)
                handle = {"agentId": launch.agent_id, "hub": launch.hub_id, "jobId": _number_of(answer), "name": name}
                return handle if launch.first and failed == 1 else await self._one(launch) or handle
            except (Ambiguous, Throttled) as failure:
                if failed == self._calls.patience.tries:
                    raise
                await asyncio.sleep(self._calls.patience.delay(failed, failure))
        raise Ambiguous(f"{launch.agent_id} was submitted, and is not to be seen")

    async def _one(self, launch: Launch) -> Handle | None:
        """The agent's first job; any other is ended before it runs, which `singleton` gives the time for."""
        mine = sorted((job for job in await self._jobs() if job.get("name") == name_of(launch)), key=_id)
        for surplus in mine[1:]:
            if runs(surplus):
                await self._cancel(_id(surplus))
        return handle_of(mine[0]) if mine else None

    async def _cancel(self, job_id: int) -> None:
        try:
            await self._calls.steadily("DELETE", f"{self._root}/job/{job_id}")
        except (Gone, AlreadyEnded):
            pass  # somebody else was quicker

    async def _job(self, handle: Handle, *, patiently: bool = True) -> Job:
        """Raises `Gone` also for another job of its number: they begin at 1 again when a cluster is made anew."""
        ask = self._calls.steadily if patiently else self._calls.once
        answer = await ask("GET", f"{self._root}/job/{handle['jobId']}")
        job = next((each for each in _jobs_of(answer) if each.get("name") == handle["name"]), None)
        if job is None:
            raise Gone(f"job {handle['jobId']} is somebody else's")
        return job

    async def _jobs(self) -> Sequence[Job]:
        answer = await self._calls.steadily("GET", f"{self._root}/jobs")
        return _jobs_of(answer)

    async def _until_ended(self, handle: Handle, seconds: float) -> bool:
        """Whether it has ended within the time: Slurm tells nobody, so it is asked."""
        try:
            async with asyncio.timeout(seconds):
                while runs(await self._job(handle)):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError:
            return False
        return True

    async def _headers(self) -> Mapping[str, str]:
        found = {"X-SLURM-USER-NAME": self._cluster.user, "X-SLURM-USER-TOKEN": self._cluster.jwt}
        return {name: value for name, value in found.items() if value is not None}


def _jobs_of(answer: Any) -> Sequence[Job]:
    """Raises `Ambiguous` for an answer that names none: a worker is not lost because an answer is odd."""
    jobs = answer.get("jobs") if isinstance(answer, Mapping) else None
    if not isinstance(jobs, list):
        raise Ambiguous("Slurm answers without jobs")
    return jobs


def _number_of(answer: Any) -> int:
    """Of the job that was submitted. Raises `Ambiguous` for an answer that does not say it."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("job_id"), int):
        raise Ambiguous("Slurm took a job and did not say its number")
    return int(answer["job_id"])


def _id(job: Job) -> int:
    return int(job["job_id"])
