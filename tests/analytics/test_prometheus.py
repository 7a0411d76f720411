"""What Prometheus is told."""

from prometheus_client.parser import text_string_to_metric_families

from hub.played import PlayedHub
from swarm_api.worker import UsageReport


async def test_counts_are_there_in_prometheus_own_form(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    await worker.report(UsageReport(model="claude-opus-4-5", cost_micro_usd=1_250_000))
    await hub.client.submit({"prompt": "Later", "hold": True})
    answer = await hub.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text) for sample in family.samples
    }  # fmt: skip
    assert told["swarm_tasks", "running"] == told["swarm_tasks", "pending"] == 1
    assert told["swarm_tasks", "failed"] == 0
    assert told["swarm_agents", "running"] == 1
    assert told["swarm_agents_capacity",] == 20
    assert told["swarm_spent_usd_total",] == told["swarm_budget_spent_usd", "daily"] == 1.25
    assert told["swarm_budget_limit_usd", "weekly"] == 500
    assert told["swarm_budget_reserved_usd", "daily"] == 3.75
    assert told["swarm_events_total",] == hub.parts.journal.head
    assert told["process_resident_memory_bytes",] > 0


async def test_it_takes_a_scope(hub: PlayedHub) -> None:
    assert (await hub.get("/metrics", **hub.bearer("tasks:read"))).status_code == 403
    assert (await hub.get("/metrics", **hub.bearer("metrics:read"))).status_code == 200
