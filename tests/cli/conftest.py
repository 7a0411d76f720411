"""What the command line's tests ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.program import Swarm
from hubs import ADMIN_KEY, HubProcess


@pytest.fixture
def lonely(tmp_path: Path) -> Swarm:
    """`swarm` on a machine where no hub runs."""
    return Swarm(tmp_path)


@pytest.fixture(scope="session")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub whose agents follow scripts, for tests that do not mind what else it holds."""
    hub = HubProcess(tmp_path_factory.mktemp("shared"), SWARM_REPO_ROOTS=str(tmp_path_factory.getbasetemp()))
    hub.start()
    yield hub
    hub.kill()
    hub.end_agents()


@pytest.fixture
def swarm(tmp_path: Path, shared_hub: HubProcess) -> Swarm:
    """`swarm` beside a hub."""
    return Swarm(tmp_path, SWARM_URL=shared_hub.url, SWARM_API_KEY=ADMIN_KEY)
