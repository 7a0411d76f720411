"""A hub on which something of everything has happened, as Prometheus sees it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from gateway.conftest import KEY, MODEL, play
from hub.played import played_hub
from scripted_api import ScriptedApi, Status, Text, Turn, Usage, scripted_api

USAGE = Usage(input=100, output=20, cache_read=7, cache_write_5m=5, cache_write_1h=3)


@dataclass(frozen=True)
class Exposed:
    text: str

    def families(self) -> Iterator[Metric]:
        yield from text_string_to_metric_families(self.text)

    def series(self) -> dict[str, set[str]]:
        """The labels of each series by its name."""
        found: dict[str, set[str]] = {}
        for family in self.families():
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
        return found

    def value(self, name: str, **labels: str) -> float:
        (value,) = [
            sample.value
            for family in self.families() for sample in family.samples
            if sample.name == name and _is(sample.labels, labels)
        ]  # fmt: skip
        return value


def _is(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return dict(labels) == dict(wanted)


async def expose(folder: Path) -> Exposed:
    async with scripted_api() as api:
        return await _expose(folder, api)


async def _expose(folder: Path, api: ScriptedApi) -> Exposed:
    api.scripts["Good"] = [Turn((Text("Done."),), USAGE)]
    api.scripts["Bad"] = [Turn((Text("Done."),), USAGE, (Status(400),))]
    async with played_hub(folder, runtime="claude", anthropic_api_key=KEY, anthropic_base_url=api.url) as hub:
        agent = await play(hub)
        await agent.ask("Good")
        await agent.ask("Bad")
        assert (await agent.ask("Good", model=None)).status_code == 400  # the gateway refuses that itself
        await hub.ended()
        await agent.worker.finish()
        await hub.ended(status="success")
        await hub.client.submit({"prompt": "Later", "hold": True})
        assert (await hub.get("/api/tasks", Authorization="Bearer sk_swarm_nobody_" + "x" * 43)).status_code == 401
        assert (await hub.get("/api/tasks/tsk_0123456789abcdef")).status_code == 404
        answer = await hub.get("/metrics")
        assert answer.status_code == 200
    return Exposed(answer.text)


__all__ = ["MODEL", "USAGE", "Exposed", "expose"]
