"""A hub whose questions all tests of a module share, with a few tasks in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.played import PlayedHub, played_hub
from swarm_api.worker import LogReport, UsageReport


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path_factory.mktemp("asked")) as hub:
        for number, type_ in enumerate(("code", "docs", "docs"), 1):
            _, worker = await hub.running(type=type_, labels={"team": f"team {number}"})
            use = {"tool": "Bash", "toolUseId": "use", "input": {"command": "a secret command"}}
            await worker.report(
                LogReport(stream="tool", text="a secret line", at_ms=1_770_000_000_000, data=use),
                UsageReport(model="claude-opus-4-5", input=number, cost_micro_usd=number * 1_000),
            )
            await worker.finish(summary="a secret summary")
        yield hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub
