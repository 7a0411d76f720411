"""Agents, the queue, the provider and the health: what runs, what waits, and where."""

from pathlib import Path

import pytest

from hub.played import PlayedHub, played_hub
from swarm_api import __version__
from swarm_api.errors import NotFound


async def test_an_agent_is_shown_with_all_that_the_contract_names(hub: PlayedHub) -> None:
    task, worker = await hub.running(tier="light")
    agent = (await hub.get(f"/api/agents/{worker.agent_id}")).json()
    assert agent.keys() == {
        "id", "status", "currentTask", "provider", "region", "tier", "startedAt", "finishedAt", "lastHeartbeatAt",
        "tokensUsed", "costCents", "costMicroUsd", "reservedMicroUsd", "computeCents",
        "computeMicroUsd", "progress", "resources",
    }  # fmt: skip
    assert (agent["id"], agent["currentTask"], agent["status"]) == (worker.agent_id, task.id, "running")
    assert (agent["provider"], agent["region"], agent["tier"]) == ("local", None, "light")
    assert agent["tokensUsed"].keys() == {"input", "output", "cacheRead", "cacheWrite"}
    assert agent["progress"].keys() == {"turns", "lastTool", "filesChanged"}
    assert agent["resources"].keys() == {"cpuPercent", "rssMb"}


async def test_an_agents_id_is_its_providers_and_eight_hex_digits(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    provider, agent, number = worker.agent_id.split("-")
    assert (provider, agent, len(number)) == ("local", "agent", 8)
    assert int(number, 16) >= 0


async def test_agents_may_be_asked_for_while_they_are_live_or_after(hub: PlayedHub) -> None:
    _, live = await hub.running()
    _, done = await hub.running()
    await done.finish()
    assert {agent.id for agent in (await hub.client.agents()).agents} == {live.agent_id, done.agent_id}
    assert [agent.id for agent in (await hub.client.agents(active=True)).agents] == [live.agent_id]
    assert [agent.id for agent in (await hub.client.agents(active=False)).agents] == [done.agent_id]


async def test_the_list_of_agents_says_from_where_to_follow(hub: PlayedHub) -> None:
    await hub.running()
    assert (await hub.client.agents()).seq == hub.parts.journal.head


async def test_an_agent_that_is_told_to_stop_is_stopping(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await hub.client.cancel(task.id)
    assert (await hub.client.agent(worker.agent_id)).status == "stopping"


async def test_an_agent_that_does_not_exist_is_not_found(hub: PlayedHub) -> None:
    with pytest.raises(NotFound):
        await hub.client.agent("local-agent-00000000")


async def test_the_queue_counts_what_waits_and_why(tmp_path: Path) -> None:
    async with played_hub(tmp_path, max_parallel_agents=2) as hub:
        first, _ = await hub.running()
        await hub.running()
        await hub.client.submit_batch(
            [
                {"prompt": "ready", "priority": "high"},
                {"prompt": "ready", "priority": "low"},
                {"prompt": "held", "hold": True},
                {"prompt": "depends", "dependsOn": [first.id]},
                {"prompt": "both", "hold": True, "dependsOn": [first.id], "priority": "low"},
            ]
        )
        queue = await hub.client.queue()
        assert (queue.pending, queue.ready, queue.running, queue.capacity) == (5, 2, 2, 2)
        assert queue.blocked == {"hold": 2, "dependency": 2, "budget": 0, "usage_limit": 0, "capacity": 0}
        assert queue.by_priority == {"high": 1, "normal": 2, "low": 2}
        assert queue.oldest_ready_seconds < 60
        assert queue.seq == hub.parts.journal.head


async def test_an_empty_queue_is_all_zeros(hub: PlayedHub) -> None:
    queue = await hub.client.queue()
    assert (queue.pending, queue.ready, queue.running, queue.oldest_ready_seconds) == (0, 0, 0, 0)
    assert queue.blocked == {"hold": 0, "dependency": 0, "budget": 0, "usage_limit": 0, "capacity": 0}


async def test_a_task_that_only_waits_for_its_turn_is_blocked_by_nothing(tmp_path: Path) -> None:
    async with played_hub(tmp_path, max_parallel_agents=1) as hub:
        await hub.running()
        task = await hub.client.submit({"prompt": "ready"})
        assert (task.status, task.blocked_by) == ("pending", [])


async def test_tasks_start_by_priority_and_then_by_age(tmp_path: Path) -> None:
    async with played_hub(tmp_path, max_parallel_agents=1) as hub:
        _, worker = await hub.running()
        tasks = [{"prompt": name, "priority": name.split()[0]} for name in ("low", "normal 1", "high", "normal 2")]
        low, normal_1, high, normal_2 = await hub.client.submit_batch(tasks)
        for expected in (high, normal_1, normal_2, low):
            await worker.finish()
            worker = await hub.worker(expected.id)
            await worker.claim()
        history = await hub.client.event_history(types=["agent_spawned"])
        spawned = [event.payload["taskId"] for event in reversed(history.events)]
        assert spawned[1:] == [high.id, normal_1.id, normal_2.id, low.id]


async def test_the_provider_says_where_agents_run_and_what_a_tier_is(hub: PlayedHub) -> None:
    provider = await hub.client.provider()
    assert (provider.type, provider.simulated, provider.healthy, provider.capacity) == ("local", False, True, 20)
    sizes = {name: (tier.cpus, tier.memory_mb) for name, tier in provider.tiers.items()}
    assert sizes == {"light": (1, 1024), "standard": (2, 2048), "heavy": (4, 4096)}


async def test_a_simulating_hub_says_so(tmp_path: Path) -> None:
    async with played_hub(tmp_path, simulate=True) as hub:
        assert (await hub.client.provider()).simulated
        task = await hub.client.submit({"prompt": "Go"})
        assert (await (await hub.worker(task.id)).claim())["runtime"] == "simulated"


@pytest.mark.parametrize("path", ["/api/tasks", "/api/queue", "/health", "/docs", "/openapi.json"])
async def test_a_head_request_is_answered_like_a_get_without_its_body(hub: PlayedHub, path: str) -> None:
    head, get = await hub.http.head(path), await hub.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_a_hub_in_good_health_says_so(hub: PlayedHub) -> None:
    health = await hub.client.health()
    assert (health.status, health.version) == ("ok", __version__)
    assert set(health.checks.values()) == {"ok"}
    assert (await hub.get("/health/live")).json()["status"] == "ok"
