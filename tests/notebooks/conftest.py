"""A hub on made-up history, which the notebooks' tests share, and an empty one."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# The list of fonts, which matplotlib keeps, stays out of the user's home.
os.environ.setdefault("MPLCONFIGDIR", str(Path(tempfile.gettempdir()) / f"claude-swarm-matplotlib-{os.getuid()}"))

from hubs import ADMIN_KEY, HubProcess
from swarm_hub.sample.__main__ import main as make_sample
from swarm_notebooks.connection import Swarm

HOSTILE = (
    "<script>alert(1)</script>",
    "$x$ \\frac{1}{2}",
    "_hidden",
    "long " * 50,
    "two\nlines",
    "\u202eevil",
    "שלום",
    "漢字",
)


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub with 400 tasks of 40 days."""
    folder = tmp_path_factory.mktemp("sampled")
    given = [str(folder / "data"), "--tasks", "400", "--days", "40"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["sample", *given])
        assert make_sample() == 0
    hub = HubProcess(folder, TIME_ZONE="Europe/Berlin")
    hub.start()
    yield hub
    hub.kill()


@pytest.fixture(scope="session")
def swarm(sampled: HubProcess) -> Iterator[Swarm]:
    with Swarm(sampled.url, ADMIN_KEY) as swarm:
        yield swarm


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    hub = HubProcess(tmp_path_factory.mktemp("empty"))
    hub.start()
    with Swarm(hub.url, ADMIN_KEY) as swarm:
        yield swarm
    hub.kill()
