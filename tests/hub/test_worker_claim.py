"""`POST /worker/v1/agents/{id}/claim`: the work order, for one worker process alone."""

from pathlib import Path
from typing import Any

import pytest

from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from hub.reporting import numbered


async def test_the_order_says_all_a_worker_needs(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    task = await hub.client.submit({
        "prompt": "Go", "name": "The Parser!", "context": "Be kind.", "model": "opus", "repo": str(repo),
        "baseRef": "main", "timeoutMinutes": 2, "maxTurns": 5, "tier": "heavy", "labels": {"a": "b"},
        "deliver": "patch", "push": True, "verify": "make",
    })  # fmt: skip
    worker = await hub.worker(task.id)
    order = await worker.claim()
    upstream = order.pop("upstream")
    short = task.id.removeprefix("tsk_")[:9]
    assert order == {
        "agentId": worker.agent_id, "taskId": task.id, "attempt": 1, "name": "The Parser!", "prompt": "Go",
        "context": "Be kind.", "model": "opus", "runtime": "scripted", "labels": {"a": "b"},
        "source": {"kind": "local", "location": str(repo), "baseRef": "main"}, "branch": f"swarm/{short}-the-parser",
        "deliver": "patch", "push": True, "verify": "make", "repoSettings": "project",
        "limits": {"timeoutSeconds": 120, "memoryMb": 4096, "cpus": 4, "maxTurns": 5},
        "workspace": str(tmp_path / "data"),
    }  # fmt: skip
    assert upstream == {"baseUrl": f"{hub.url}/anthropic", "apiKey": upstream["apiKey"]}


@pytest.mark.parametrize(
    ("repo", "source"),
    [
        (None, {"kind": "scratch", "location": ""}),
        ("octocat/hello", {"kind": "url", "location": "https://github.com/octocat/hello.git"}),
        ("git@example.org:a/b.git", {"kind": "url", "location": "git@example.org:a/b.git"}),
    ],
)
async def test_the_order_says_where_the_code_comes_from(
    hub: PlayedHub, repo: str | None, source: dict[str, str]
) -> None:
    task = await hub.client.submit({"prompt": "Go", "repo": repo})
    assert (await (await hub.worker(task.id)).claim())["source"] == source


async def test_a_key_that_is_injected_travels_in_the_order_and_not_in_the_launch(tmp_path: Path) -> None:
    given: dict[str, Any] = {"anthropic_api_key": "sk-canary", "anthropic_base_url": "http://127.0.0.1:9"}
    async with played_hub(tmp_path, anthropic_key_mode="inject", **given) as hub:
        task = await hub.client.submit({"prompt": "Go"})
        worker = await hub.worker(task.id)
        assert "sk-canary" not in str(await hub.stage.launch_of(worker.agent_id))
        assert (await worker.claim())["upstream"] == {"apiKey": "sk-canary", "baseUrl": "http://127.0.0.1:9"}


async def test_with_the_claim_the_task_runs(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go"})
    worker = await hub.worker(task.id)
    assert (await hub.client.agent(worker.agent_id)).status == "starting"
    await worker.claim()
    task = await hub.client.task(task.id)
    assert (task.status, task.attempts, task.assigned_agent) == ("running", 1, worker.agent_id)
    assert task.started_at is not None
    assert (await hub.client.agent(worker.agent_id)).status == "running"


async def test_a_claim_sent_again_is_answered_the_same_and_begins_nothing_again(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go"})
    worker = await hub.worker(task.id)
    assert await worker.claim("incarnation-a") == await worker.claim("incarnation-a")
    history = await hub.client.event_history(task_id=task.id, types=["task_started"])
    assert len(history.events) == 1


async def test_a_second_process_that_carries_the_same_agent_is_turned_away(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    assert_problem(await worker.post("claim", {"incarnation": "another-one"}), 409, "stale_agent")


@pytest.mark.parametrize("body", [{}, {"incarnation": "short"}, {"incarnation": "x" * 65}, {"incarnation": 7}])
async def test_a_claim_names_its_incarnation(hub: PlayedHub, body: dict[str, Any]) -> None:
    task = await hub.client.submit({"prompt": "Go"})
    assert_problem(await (await hub.worker(task.id)).post("claim", body), 422, "invalid_input", "incarnation")


async def test_without_a_claim_there_are_no_reports(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go"})
    assert_problem(await (await hub.worker(task.id)).send(numbered(1)), 409, "stale_agent")
