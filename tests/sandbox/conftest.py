"""Hubs whose agents are in sandboxes, and one whose agents are not, to show that what is tried can be reached."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from hubs import HubProcess
from sandbox.trying import armed
from swarm_api.client import HubClient
from swarm_api.sandbox import SandboxUnavailable, try_bubblewrap


@pytest.fixture(scope="session")
def _bubblewrap() -> None:
    """Where changes are judged it must be there; elsewhere the reason is told."""
    try:
        try_bubblewrap()
    except SandboxUnavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))


@pytest.fixture
def hub(_bubblewrap: None, start_hub: Callable[..., HubProcess]) -> HubProcess:
    """A hub whose agents follow scripts, each in its sandbox."""
    return start_hub(LOCAL_SANDBOX="bubblewrap")


@pytest.fixture(params=["bubblewrap", "none"])
def either(request: pytest.FixtureRequest, _bubblewrap: None, start_hub: Callable[..., HubProcess]) -> HubProcess:
    """A hub with sandboxes, and then one without."""
    return start_hub(LOCAL_SANDBOX=request.param)


@pytest.fixture
async def either_client(either: HubProcess) -> AsyncIterator[HubClient]:
    async with either.client() as client:
        yield client


@pytest.fixture
def target(repo: Path) -> Path:
    """The repository with what an attack needs."""
    armed(repo)
    return repo


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="swarm-") as folder:
        yield Path(folder)
