"""A hub whose agents are in sandboxes."""

import os
from collections.abc import Callable

import pytest

from hubs import HubProcess
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
