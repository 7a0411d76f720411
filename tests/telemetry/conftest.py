"""A hub that tells a collector, with agents that the test plays and a scripted model."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.conftest import KEY
from hub.played import PlayedHub, played_hub
from scripted_api import ScriptedApi, scripted_api
from swarm_hub.traces import traces
from telemetry.receiver import Receiver, receiver


@pytest.fixture(autouse=True, scope="module")
def _hurry() -> Iterator[None]:
    """What is new is told at once, whatever proxy there is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(traces, "EVERY", 0.02)
        yield


def told_to(collector: Receiver, api: ScriptedApi) -> dict[str, Any]:
    """The settings of a hub whose gateway leads to the script, and which tells the collector."""
    model = {"runtime": "claude", "anthropic_api_key": KEY, "anthropic_base_url": api.url}
    return {**model, "otlp_endpoint": collector.url}


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with receiver() as collector:
        yield collector


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
def traced(collector: Receiver, api: ScriptedApi) -> dict[str, Any]:
    return told_to(collector, api)


@pytest.fixture
async def hub(tmp_path: Path, traced: dict[str, Any]) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path, **traced) as hub:
        yield hub
