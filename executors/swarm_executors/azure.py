"""Workers as executions of an Azure Container Apps job."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import httpx

from swarm_executors.azure_errors import judge
from swarm_executors.azure_jobs import (
    ALIVE,
    ENDED,
    VERSION,
    AzureJob,
    handle_of,
    observe,
    started_at,
    status_of,
    template,
)
from swarm_executors.bucket import Bucket
from swarm_executors.calls import Calls, Patience
from swarm_executors.protocol import (
    Ambiguous,
    ExecutorError,
    Gone,
    Handle,
    Launch,
    Observation,
    Refused,
    Shut,
    StartFailed,
    Throttled,
)

Execution = Mapping[str, Any]
Starts = WeakValueDictionary[str, asyncio.Lock]
READS, WRITES = (25, 250), (10, 200)
"""Calls a second and at once (learn.microsoft.com, request-limits-and-throttling)."""
LOOKS = 3  # for an execution that may have been started, before it is started again: lists come late
LOOK_AGAIN = 1.0  # seconds between two looks at an execution that is ending
LONGEST_STOP = 120.0  # seconds that Azure may take to end one; its own grace is 30


class AzureExecutor:
    name = "azure"
    region: str | None = None

    def __init__(
        self, job: AzureJob, header: Callable[[], Awaitable[Mapping[str, str]]], patience: Patience | None = None,
        poll_every: float = 10.0, starts: Starts | None = None,
    ) -> None:  # fmt: skip
        """`starts`: to be shared by executors of one hub, which see to it together that each start happens once."""
        self.poll_every = poll_every
        self._job = job
        self._calls = Calls(httpx.AsyncClient(base_url=job.management_url), judge, header, patience or Patience())
        self._reads, self._writes = Bucket(*READS), Bucket(*WRITES)
        self._starting = starts if starts is not None else Starts()

    async def start(self, launch: Launch) -> Handle:
        """There is no key by which Azure would know a start again: executions are looked for by the agent's id."""
        async with self._starting.setdefault(launch.agent_id, asyncio.Lock()):
            try:
                return await self._start(launch)
            except Gone as gone:
                raise Shut(f"{launch.agent_id} cannot be started: {gone}") from gone
            except Refused as refused:
                raise StartFailed(f"{launch.agent_id} cannot be started: {refused}") from refused

    async def poll(self, handle: Handle) -> Observation:
        try:
            return observe(await self._execution(handle))
        except Gone:
            return Observation("lost", detail="Azure knows nothing of its execution")
        except ExecutorError as error:
            return Observation("unknown", detail=str(error))

    async def stop(self, handle: Handle, grace: float) -> None:  # noqa: ARG002  # Azure has a grace of its own
        try:
            if status_of(await self._execution(handle)) in ENDED:
                return
            await self._end(handle["execution"])
            await self._until_ended(handle)
        except Gone:
            return

    async def list(self, hub_id: str) -> Sequence[Handle]:
        running = [each for each in await self._executions() if status_of(each) in ALIVE]
        handles = [handle_of(each, self._job) for each in running]
        return [handle for handle in handles if handle is not None and handle["hub"] == hub_id]

    async def ready(self) -> str:
        """What keeps workers from being started there; nothing, when all is well."""
        try:
            job = await self._steadily("GET", self._job.path, self._reads)
        except Gone:
            return f"there is no job {self._job.job} in {self._job.group}"
        except ExecutorError as error:
            return str(error)
        return _problem(job)

    async def aclose(self) -> None:
        await self._calls.aclose()

    async def _start(self, launch: Launch) -> Handle:
        """Started once more only when what may have been started before was looked for, more than once."""
        if not launch.first and (found := await self._one(launch)) is not None:
            return found
        patience = self._calls.patience
        for failed in range(1, patience.tries + 1):
            try:
                return await self._start_once(launch)
            except (Ambiguous, Throttled) as failure:
                if (found := await self._looked_for(launch, failed, failure)) is not None:
                    return found
                if failed == patience.tries:
                    raise
        raise Ambiguous(f"{launch.agent_id} may have been started, and is not to be seen")

    async def _start_once(self, launch: Launch) -> Handle:
        path, body = f"{self._job.path}/start", template(launch, self._job)
        answer = await self._calls.once("POST", path, json=body, params=_VERSION, bucket=self._writes)
        if not isinstance(answer, Mapping) or "name" not in answer:
            raise Ambiguous(f"{launch.agent_id} is being started, and has no name yet")
        return {
            "agentId": launch.agent_id, "hub": launch.hub_id, "job": self._job.job, "execution": answer["name"],
        }  # fmt: skip

    async def _looked_for(self, launch: Launch, failed: int, failure: ExecutorError) -> Handle | None:
        for _ in range(LOOKS):
            await asyncio.sleep(self._calls.patience.delay(failed, failure))
            if (found := await self._one(launch)) is not None:
                return found
        return None

    async def _one(self, launch: Launch) -> Handle | None:
        """The agent's first execution; any other that runs is ended: the hub would turn its worker away."""
        handles = [(each, handle_of(each, self._job)) for each in sorted(await self._executions(), key=started_at)]
        mine = [(each, handle) for each, handle in handles if handle and _is_of(handle, launch)]
        for surplus, _ in mine[1:]:
            if status_of(surplus) in ALIVE:
                await self._end(surplus["name"])
        return mine[0][1] if mine else None

    async def _end(self, execution: str) -> None:
        await self._steadily("POST", f"{self._job.path}/executions/{execution}/stop", self._writes)

    async def _until_ended(self, handle: Handle) -> None:
        try:
            async with asyncio.timeout(LONGEST_STOP):
                while status_of(await self._execution(handle)) not in ENDED:  # noqa: ASYNC110  # Azure tells nobody
                    await asyncio.sleep(min(LOOK_AGAIN, self.poll_every))
        except TimeoutError as error:
            raise ExecutorError(f"the execution {handle['execution']} does not end") from error

    async def _execution(self, handle: Handle) -> Execution:
        found: Execution = await self._steadily(
            "GET", f"{self._job.path}/executions/{handle['execution']}", self._reads
        )
        return found

    async def _executions(self) -> Sequence[Execution]:
        """All pages of them."""
        found: list[Execution] = []
        page = await self._steadily("GET", f"{self._job.path}/executions", self._reads)
        while True:
            found += page["value"]
            if not (link := page.get("nextLink")):
                return found
            page = await self._calls.steadily("GET", self._own(link), bucket=self._reads)

    def _own(self, link: str) -> str:
        """Raises `Refused` for a page elsewhere: it would be shown our token."""
        if not link.startswith(f"{self._job.management_url}/"):
            raise Refused("Azure names a next page at another address")
        return link

    async def _steadily(self, method: str, path: str, bucket: Bucket) -> Any:
        return await self._calls.steadily(method, path, params=_VERSION, bucket=bucket)


_VERSION = {"api-version": VERSION}


def _is_of(handle: Handle, launch: Launch) -> bool:
    return (handle["agentId"], handle["hub"]) == (launch.agent_id, launch.hub_id)


def _problem(job: Mapping[str, Any]) -> str:
    """A setting of the job by which a worker would run twice."""
    told = (job.get("properties") or {}).get("configuration") or {}
    manual = told.get("manualTriggerConfig") or {}
    if told.get("triggerType") != "Manual":
        return "the job's triggerType must be Manual"
    if told.get("replicaRetryLimit"):
        return "the job's replicaRetryLimit must be 0: the hub itself tries again"
    return "the job's parallelism must be 1" if manual.get("parallelism", 1) != 1 else ""
