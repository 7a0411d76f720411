"""Fly as a place: the fake one on loopback, whose machines have small programs."""

from contextlib import AsyncExitStack
from dataclasses import replace

from executors.clouds import Faulty, serving
from executors.fake_fly import TOKEN, FakeFly, listening, stubborn
from swarm_executors.calls import Patience
from swarm_executors.fly import FlyExecutor
from swarm_executors.fly_machines import FlyApp
from swarm_executors.protocol import Handle
from waiting import until

QUICK = Patience(timeout=5, tries=5, first=0.001, most=0.002)


class FlyPlace:
    def __init__(self) -> None:
        self.fly = FakeFly()
        self.faulty = Faulty(self.fly.app)
        self._stack = AsyncExitStack()
        self.app = FlyApp(TOKEN, "swarm-workers", "registry.example/worker:1")

    async def __aenter__(self) -> "FlyPlace":
        url = await self._stack.enter_async_context(serving(self.faulty))
        self.app = replace(self.app, api_url=url, logs_url=url)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.fly.end_all()
        await self._stack.aclose()

    def executor(self) -> FlyExecutor:
        self.fly.program = listening
        return self.of(self.app)

    def stubborn(self) -> FlyExecutor:
        executor = self.executor()
        self.fly.program = stubborn
        return executor

    def broken(self) -> FlyExecutor:
        return self.of(replace(self.app, image="no-such-image"))

    def of(self, app: FlyApp, patience: Patience = QUICK, poll_every: float = 0.01) -> FlyExecutor:
        executor = FlyExecutor(app, patience, poll_every)
        self._stack.push_async_callback(executor.aclose)
        return executor

    async def is_ready(self, handle: Handle) -> None:
        await until(lambda: self.fly.machines[handle["machineId"]].running)

    def starts(self, agent_id: str) -> int:
        return sum(machine.agent_id == agent_id for machine in self.fly.ever)

    def is_running(self, agent_id: str) -> bool:
        return bool(self.fly.running(agent_id))

    def has_saved(self, agent_id: str) -> bool:
        return any(machine.heard for machine in self.fly.ever if machine.agent_id == agent_id)

    def finish(self, handle: Handle, exit_code: int) -> None:
        self.fly.machines[handle["machineId"]].finished.set_result(exit_code)

    def lose(self, handle: Handle) -> None:
        self.fly.forget(handle["machineId"])

    def unknown(self) -> Handle:
        return {"agentId": "fly-agent-00000000", "hub": "nobody", "app": self.app.app, "machineId": "deadbeefdeadbe",
                "region": "ord"}  # fmt: skip
