"""An answer that takes long ends with the credential that asked for it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.played import PlayedHub, played_hub
from identity.asking import bearer, end_key, make_key
from swarm_api.worker import LogReport
from swarm_hub.routes import streams


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


async def test_a_log_as_text_goes_on_no_longer_and_says_so(hub: PlayedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    made, (task, worker) = await make_key(hub), await hub.running()
    await worker.report(*[LogReport(stream="agent", text=f"line {n}", elapsed_ms=0) for n in range(3)])
    read = streams._read_lines

    async def then_end(*asked: Any) -> Any:
        rows = await read(*asked)
        await end_key(hub, made["id"])
        return rows

    monkeypatch.setattr(streams, "_read_lines", then_end)
    monkeypatch.setattr(streams, "PAGE", 1)
    answer = await hub.get(f"/api/tasks/{task.id}/logs", Accept="text/plain", **bearer(made["key"]))
    assert answer.text == "line 0\n(the API key was revoked: this is not all)\n"
