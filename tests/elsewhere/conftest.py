"""A hub whose agents run on machines of a Fly that is on this one: real workers, each with a disk of its own."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from elsewhere.machines import Machines, RemoteHub
from executors.clouds import Faulty, serving
from executors.fake_fly import TOKEN, FakeFly
from swarm_api.client import HubClient


@pytest.fixture
async def fly(tmp_path: Path) -> AsyncIterator[RemoteHub]:
    """The hub, started; its machines are gone at the end."""
    machines = Machines(tmp_path / "machines")
    fake = FakeFly(machines.run)
    faulty = Faulty(fake.app)
    async with serving(faulty) as url:
        port = free_port()
        hub = RemoteHub(
            tmp_path, fake, faulty, machines, EXECUTOR_TYPE="fly", PORT=str(port),
            PUBLIC_URL=f"http://127.0.0.1:{port}", FLY_API_TOKEN=TOKEN, FLY_APP_NAME="swarm-workers",
            FLY_CONTAINER_IMAGE="registry.example/worker:1", FLY_FLAPS_BASE_URL=url, FLY_LOGS_BASE_URL=url,
        )  # fmt: skip
        await hub.begin()
        yield hub
        hub.kill()
        fake.end_all()
        await machines.gone()
        assert fake.faults == []


@pytest.fixture
async def client(fly: RemoteHub) -> AsyncIterator[HubClient]:
    async with fly.client() as client:
        yield client


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
