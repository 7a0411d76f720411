"""Azure as a place: the fake one on loopback, whose executions have small programs."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from executors.clouds import Faulty, serving
from executors.fake_azure import TOKEN, FakeAzure
from executors.fake_fly import listening, stubborn
from executors.fly_place import QUICK
from swarm_executors.azure import AzureExecutor, Starts
from swarm_executors.azure_jobs import AzureJob
from swarm_executors.calls import Patience
from swarm_executors.protocol import Handle
from waiting import until


class AzurePlace:
    """Its executors are one hub's: Azure itself would start two executions for two hubs that ask at the same moment."""

    def __init__(self) -> None:
        self.azure = FakeAzure(listening)
        self.faulty = Faulty(self.azure.app)
        self.job = AzureJob("0000-1111", "agents", "workers", "registry.example/worker:1")
        self._stack = AsyncExitStack()
        self._starts: Starts = Starts()

    async def __aenter__(self) -> "AzurePlace":
        url = await self._stack.enter_async_context(serving(self.faulty))
        self.job = replace(self.job, management_url=url)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.azure.end_all()
        await self._stack.aclose()

    def executor(self) -> AzureExecutor:
        self.azure.program = listening
        return self.of(self.job)

    def stubborn(self) -> AzureExecutor:
        executor = self.executor()
        self.azure.program = stubborn
        return executor

    def broken(self) -> AzureExecutor:
        return self.of(replace(self.job, image="no-such-image"))

    def of(self, job: AzureJob, patience: Patience = QUICK, token: str = TOKEN) -> AzureExecutor:
        async def header() -> Mapping[str, str]:
            return {"Authorization": token}

        executor = AzureExecutor(job, header, patience, poll_every=0.01, starts=self._starts)
        self._stack.push_async_callback(executor.aclose)
        return executor

    async def is_ready(self, handle: Handle) -> None:
        await until(lambda: self.azure.executions[handle["execution"]].running)

    def starts(self, agent_id: str) -> int:
        return sum(each.agent_id == agent_id for each in self.azure.ever)

    def is_running(self, agent_id: str) -> bool:
        return bool(self.azure.running(agent_id))

    def has_saved(self, agent_id: str) -> bool:
        return any(each.heard for each in self.azure.ever if each.agent_id == agent_id)

    def finish(self, handle: Handle, exit_code: int) -> None:
        self.azure.executions[handle["execution"]].finished.set_result(exit_code)

    def lose(self, handle: Handle) -> None:
        self.azure.forget(handle["execution"])

    def unknown(self) -> Handle:
        return {"agentId": "azure-agent-00000000", "hub": "nobody", "job": "workers", "execution": "workers-0000000"}
