"""Nobody makes a task's bill so long that it cannot be shown."""

from pathlib import Path

from hub.played import played_hub
from swarm_api.worker import UsageReport

NAMES = 400


async def test_models_beyond_any_number_are_counted_together(tmp_path: Path) -> None:
    """Whoever calls the model names it, and each name would be carried along in every report and list of tasks."""
    async with played_hub(tmp_path) as hub:
        task, worker = await hub.running()
        await worker.report(*(
            UsageReport(model=f"{n}-{'x' * 10_000}", output=1, cost_micro_usd=3) for n in range(NAMES)
        ))  # fmt: skip
        shown = await hub.client.task(task.id)
        assert len(shown.usage.to_json()) < 40_000
        of_models = shown.usage.by_model.values()
        assert sum(each.cost_micro_usd for each in of_models) == shown.cost_micro_usd == NAMES * 3
        assert sum(each.output for each in of_models) == shown.usage.output == NAMES


async def test_models_are_told_apart_as_far_as_anybody_needs_it(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        task, worker = await hub.running()
        await worker.report(*(UsageReport(model=f"claude-{n}", output=1, cost_micro_usd=3) for n in range(20)))
        assert len((await hub.client.task(task.id)).usage.by_model) == 20
