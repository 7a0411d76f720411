"""Whoever has no collector pays nothing for traces; whoever names one, by the standard's variables, loses nothing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hubs import HubProcess
from swarm_hub.redacted import credentials
from swarm_hub.settings import read_settings
from telemetry.receiver import Receiver
from waiting import until

TESTS = Path(__file__).parents[1]
A_TASKS_LIFE = """
import asyncio, sys
from pathlib import Path
from hub.played import played_hub

async def main(folder, endpoint):
    async with played_hub(Path(folder), otlp_endpoint=endpoint or None) as hub:
        await hub.post("/api/tasks", {"prompt": "Work", "hold": True}, traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
        await hub.ended()

asyncio.run(main(*sys.argv[1:]))
print(any(name.startswith("opentelemetry") for name in sys.modules))
"""


def loads_it(folder: Path, endpoint: str) -> bool:
    run = subprocess.run(
        [sys.executable, "-c", A_TASKS_LIFE, str(folder), endpoint], cwd=TESTS, capture_output=True, check=True,
        text=True, env={"PYTHONPATH": str(TESTS), "HOME": str(folder)},
    )  # fmt: skip
    return run.stdout.strip() == "True"


def test_nothing_of_opentelemetry_is_loaded_without_a_collector(tmp_path: Path) -> None:
    assert not loads_it(tmp_path, "")


def test_it_is_loaded_with_one(tmp_path: Path, collector: Receiver) -> None:
    assert loads_it(tmp_path, collector.url)


async def test_the_variables_of_the_standard_count(
    start_hub: Callable[..., HubProcess], collector: Receiver, tmp_path: Path
) -> None:
    hub = start_hub(
        SIMULATE_MODE="true", OTEL_EXPORTER_OTLP_ENDPOINT=f"{collector.url}/",
        OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20a-token-of-the-collector,x-tenant=blue",
        OTEL_SERVICE_NAME="our-hub", OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
    )  # fmt: skip
    async with hub.client() as client:
        task = await client.submit({"prompt": "Work", "labels": {"simulate.seconds": "0"}})
        await client.wait(task.id)
        await until(lambda: collector.has(task.id, "task code", "invoke_agent"))
    span = collector.named(task.id, "task code")
    assert span.resource["service.name"] == "our-hub"
    assert span.resource["deployment.environment.name"] == "test"
    assert collector.headers[-1]["authorization"] == "Bearer a-token-of-the-collector"
    assert collector.headers[-1]["x-tenant"] == "blue"
    assert "a-token-of-the-collector" not in hub.log.read_text()
    assert hub.stop() == 0


async def test_a_hub_without_a_name_of_its_own_has_its_programs(
    start_hub: Callable[..., HubProcess], collector: Receiver
) -> None:
    hub = start_hub(SIMULATE_MODE="true", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    async with hub.client() as client:
        task = await client.submit({"prompt": "Work", "labels": {"simulate.fail": "true", "simulate.seconds": "0"}})
        await client.wait(task.id)
        await until(lambda: collector.has(task.id, "task code"))
    span = collector.named(task.id, "task code")
    assert span.resource["service.name"] == "claude-swarm-hub"
    assert span.status == "error"


async def test_a_hub_that_was_killed_before_it_could_tell_anything_tells_it_later(
    start_hub: Callable[..., HubProcess], collector: Receiver
) -> None:
    collector.refuses = 400
    hub = start_hub(SIMULATE_MODE="true", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    async with hub.client() as client:
        task = await client.submit({"prompt": "Work", "labels": {"simulate.seconds": "0"}})
        await client.wait(task.id)
    hub.kill()
    collector.refuses = None
    hub.start()
    await until(lambda: collector.has(task.id, "task code", "wait", "start", "invoke_agent"))


def test_what_a_header_says_is_a_secret_and_its_name_is_none() -> None:
    settings = read_settings({"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20a-token-of-the-collector"})
    assert credentials(settings) == ["a-token-of-the-collector"]
