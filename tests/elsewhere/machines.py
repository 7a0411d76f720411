"""Machines of a cloud as processes of this one: a worker, a home, and nothing else of what the hub has."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from executors.clouds import Faulty, serving
from executors.fake_fly import TOKEN, FakeFly, Machine
from hubs import PROGRAMS, HubProcess


class Machines:
    """Runs `swarm-worker` as the image does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: set[asyncio.Event] = set()

    def home(self, machine: Machine) -> Path:
        return self._folder / machine.id

    async def run(self, machine: Machine) -> int:
        """A machine's whole life; its worker's exit code."""
        home = self.home(machine)
        home.mkdir(parents=True)
        over = asyncio.Event()
        self._running.add(over)
        async with self._worker(machine, home) as process:
            ending = asyncio.create_task(_pass_on(machine, process))
            try:
                return await process.wait()
            finally:
                ending.cancel()
                self._running.discard(over)
                over.set()

    async def gone(self) -> None:
        for over in tuple(self._running):
            await over.wait()

    @asynccontextmanager
    async def _worker(self, machine: Machine, home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **machine.environment}
        with (home / "output").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                PROGRAMS / "swarm-worker", cwd=home, env=environment, stdout=output, stderr=output,
                stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            _kill(machine.agent_id, process)
            await process.wait()


async def _pass_on(machine: Machine, process: asyncio.subprocess.Process) -> None:
    await machine.terminated.wait()
    process.terminate()


def _kill(agent_id: str, process: asyncio.subprocess.Process) -> None:
    """What ends with a machine: all that ran on it."""
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.environ().get("SWARM_AGENT") == agent_id:
                each.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class RemoteHub(HubProcess):
    """A hub, and the cloud its agents are in."""

    def __init__(self, folder: Path, fly: FakeFly, faulty: Faulty, machines: Machines, **settings: Any) -> None:
        super().__init__(folder, **settings)
        self.fly = fly
        self.faulty = faulty
        self.machines = machines

    async def begin(self) -> None:
        """Start it without holding up the cloud, which is in this loop."""
        await asyncio.to_thread(self.start)

    async def again(self) -> None:
        """Killed, and started anew."""
        await asyncio.to_thread(self.kill)
        await self.begin()


@asynccontextmanager
async def remote_hub(folder: Path, **settings: str) -> AsyncIterator[RemoteHub]:
    """A hub that has started, and a Fly on this machine; at the end all machines are gone."""
    machines = Machines(folder / "machines")
    fake = FakeFly(machines.run)
    faulty = Faulty(fake.app)
    async with serving(faulty) as url:
        port = free_port()
        hub = RemoteHub(
            folder, fake, faulty, machines, EXECUTOR_TYPE="fly", PORT=str(port),
            PUBLIC_URL=f"http://127.0.0.1:{port}", FLY_API_TOKEN=TOKEN, FLY_APP_NAME="swarm-workers",
            FLY_CONTAINER_IMAGE="registry.example/worker:1", FLY_FLAPS_BASE_URL=url, FLY_LOGS_BASE_URL=url, **settings,
        )  # fmt: skip
        await hub.begin()
        yield hub
        hub.kill()
        fake.end_all()
        await machines.gone()
        assert fake.faults == []


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
