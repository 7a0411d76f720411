"""Whatever a worker reports, the hub takes it or refuses it, and goes on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.played import PlayedHub, played_hub
from swarm_api.worker import UsageReport

JSON = "application/json"


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


async def test_costs_beyond_all_that_can_be_kept_are_no_failure(played: PlayedHub) -> None:
    task, worker = await played.running()
    for _ in range(2):
        await worker.report(*[UsageReport(model="opus", cost_micro_usd=2**53)] * 1_000)
    assert (await played.client.task(task.id)).cost_micro_usd == 2**53


@pytest.mark.parametrize("kind", [["log"], {"log": "log"}, None, 5])
async def test_a_kind_that_is_no_word_is_refused(played: PlayedHub, kind: object) -> None:
    _, worker = await played.running()
    assert (await worker.send([{"n": 1, "kind": kind}])).status_code == 422


@pytest.mark.parametrize("start", ['"a/\\', '"a/\\xzz" "b/\\xzz"', '"a/\\u6f22" "b/\\u6f22"', "", "a"])
async def test_a_patch_that_is_no_gits_is_shown_as_far_as_it_goes(played: PlayedHub, start: str) -> None:
    task, worker = await played.running()
    await worker.finish(patch=f"diff --git {start}\nrename from {start}\nrename to {start}\n")
    assert (await played.get(f"/api/tasks/{task.id}/diff", Accept=JSON)).status_code == 200
