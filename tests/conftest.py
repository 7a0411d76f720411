"""What every test may ask for: a running hub, a client of it, a git repository to work on."""

import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from hubs import HubProcess
from swarm_api.client import HubClient

# What Hypothesis remembers of earlier runs stays out of the tree.
set_hypothesis_home_dir(Path(tempfile.gettempdir()) / f"claude-swarm-hypothesis-{os.getuid()}")


@pytest.fixture
def start_hub(tmp_path: Path) -> Iterator[Callable[..., HubProcess]]:
    """Starts hubs with the settings given; at the end they and all their agents are gone."""
    hubs: list[HubProcess] = []

    def start(**settings: str) -> HubProcess:
        folder = tmp_path / f"hub{len(hubs)}" if hubs else tmp_path
        folder.mkdir(exist_ok=True)
        hub = HubProcess(folder, **settings)
        hubs.append(hub)
        hub.start()
        return hub

    yield start
    for hub in hubs:
        hub.kill()
        hub.end_agents()


@pytest.fixture
def hub(start_hub: Callable[..., HubProcess]) -> HubProcess:
    """A hub whose agents follow scripts."""
    return start_hub()


@pytest.fixture
async def client(hub: HubProcess) -> AsyncIterator[HubClient]:
    async with hub.client() as client:
        yield client


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit on `main`: README.md and src/app.py."""
    folder = tmp_path / "repo"
    (folder / "src").mkdir(parents=True)
    (folder / "README.md").write_text("# A sample\n")
    (folder / "src/app.py").write_text("def main() -> None:\n    print('hello')\n")
    for arguments in (
        ["init", "-q", "-b", "main"], ["config", "user.name", "Ada"], ["config", "user.email", "ada@example.org"],
        ["add", "-A"], ["commit", "-q", "-m", "Begin"],
    ):  # fmt: skip
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder
