"""`POST /api/tasks`: what is taken in, what is answered, and what the defaults are."""

import re
from pathlib import Path

import pytest

from hub.git import git
from hub.played import PlayedHub
from swarm_api.client import HubClient
from swarm_api.ids import TASK_ID
from swarm_api.tasks import TaskIn

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


async def test_a_task_is_answered_201_with_all_that_the_contract_names(hub: PlayedHub) -> None:
    answer = await hub.post("/api/tasks", {"prompt": "Write a poem", "hold": True})
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() >= {
        "id", "name", "status", "prompt", "type", "model", "priority", "repo", "baseRef", "dependsOn", "context",
        "timeoutMinutes", "maxAttempts", "tier", "hold", "deliver", "push", "verify", "labels", "repoSettings",
        "createdAt", "startedAt", "finishedAt", "assignedAgent", "attempts", "blockedBy", "parentId", "costCents",
        "costMicroUsd", "usage", "seq", "result",
    }  # fmt: skip


async def test_only_the_prompt_is_required_and_the_rest_has_defaults(client: HubClient) -> None:
    task = await client.submit({"prompt": "Write a poem"})
    assert (task.type, task.model, task.priority, task.deliver) == ("code", "sonnet", "normal", "branch")
    assert (task.max_attempts, task.timeout_minutes, task.tier) == (1, 60, "standard")
    assert (task.hold, task.push, task.repo, task.repo_settings) == (False, False, None, "none")
    assert (task.status, task.attempts, task.cost_micro_usd, task.result) == ("pending", 0, 0, None)


async def test_what_is_given_comes_back(client: HubClient) -> None:
    given = TaskIn(
        prompt="Review «it» – 日本語 🐝", name="parser", type="review", model="claude-opus-4-1", priority="high",
        context="Be kind.", timeout_minutes=2.5, max_attempts=3, max_turns=7, tier="heavy", hold=True, deliver="patch",
        push=True, verify="make test", labels={"team": "core", "sprint/7": "yes"}, repo_settings="project",
    )  # fmt: skip
    task = await client.task((await client.submit(given)).id)
    for field in given.model_fields_set:
        assert getattr(task, field) == getattr(given, field), field


async def test_ids_are_tsk_and_sort_by_age(client: HubClient) -> None:
    tasks = await client.submit_batch({"prompt": f"Number {i}", "hold": True} for i in range(50))
    assert all(TASK_ID.match(task.id) for task in tasks)
    assert [task.id for task in tasks] == sorted({task.id for task in tasks})


async def test_times_are_utc_to_the_second_and_end_in_z(hub: PlayedHub) -> None:
    task = (await hub.post("/api/tasks", {"prompt": "Tick", "hold": True})).json()
    assert TIME.fullmatch(task["createdAt"])


async def test_seq_is_the_tasks_own_event(client: HubClient) -> None:
    task = await client.submit({"prompt": "Go", "hold": True})
    (event,) = (await client.event_history(task_id=task.id)).events
    assert (event.seq, event.type) == (task.seq, "task_created")


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({"type": "docs"}, "light"),
        ({"type": "review", "model": "opus"}, "light"),
        ({"type": "security"}, "heavy"),
        ({"type": "code", "model": "opus"}, "heavy"),
        ({"type": "code", "model": "claude-opus-4-1"}, "heavy"),
        ({"type": "code", "model": "haiku"}, "standard"),
        ({"type": "test", "model": "opus"}, "standard"),
        ({"type": "security", "tier": "light"}, "light"),
    ],
)
async def test_the_tier_follows_from_type_and_model_unless_given(
    client: HubClient, fields: dict[str, str], tier: str
) -> None:
    assert (await client.submit({"prompt": "Go", "hold": True, **fields})).tier == tier


async def test_a_prompt_of_100000_characters_is_taken(client: HubClient) -> None:
    prompt = "ü" * 100_000
    task = await client.submit({"prompt": prompt, "hold": True})
    assert (await client.task(task.id)).prompt == prompt


async def test_the_settings_of_a_local_repository_count_and_those_of_a_url_do_not(
    client: HubClient, repo: Path
) -> None:
    local = await client.submit({"prompt": "Go", "hold": True, "repo": str(repo)})
    remote = await client.submit({"prompt": "Go", "hold": True, "repo": "https://example.org/x.git"})
    assert (local.repo_settings, remote.repo_settings) == ("project", "none")


@pytest.mark.parametrize(
    "named",
    ["octocat/hello-world", "https://example.org/a.git", "ssh://git@example.org/a.git", "git@example.org:a/b.git"],
)
async def test_a_repository_elsewhere_may_be_named_as_git_names_it(client: HubClient, named: str) -> None:
    assert (await client.submit({"prompt": "Go", "hold": True, "repo": named})).repo == named


@pytest.mark.parametrize("ref", ["main", "v1", "HEAD"])
async def test_a_base_may_be_a_branch_a_tag_or_a_commit(client: HubClient, repo: Path, ref: str) -> None:
    git("tag", "v1", folder=repo)
    for base in (ref, git("rev-parse", ref, folder=repo)):
        task = await client.submit({"prompt": "Go", "hold": True, "repo": str(repo), "baseRef": base})
        assert task.base_ref == base


async def test_a_file_url_names_a_repository_of_this_machine(client: HubClient, repo: Path) -> None:
    assert (await client.submit({"prompt": "Go", "hold": True, "repo": repo.as_uri()})).repo == repo.as_uri()


async def test_a_bare_repository_will_do(client: HubClient, repo: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git("clone", "-q", "--bare", repo, bare)
    assert (await client.submit({"prompt": "Go", "hold": True, "repo": str(bare)})).repo == str(bare)


async def test_a_batch_is_answered_in_the_order_given(hub: PlayedHub) -> None:
    answer = await hub.post("/api/tasks", {"tasks": [{"prompt": f"Number {i}", "hold": True} for i in range(5)]})
    assert answer.status_code == 201
    assert [task["prompt"] for task in answer.json()["tasks"]] == [f"Number {i}" for i in range(5)]


async def test_a_batch_of_1000_is_taken(client: HubClient) -> None:
    await client.submit_batch({"prompt": f"Number {i}", "hold": True} for i in range(1_000))
    assert (await client.tasks()).total == 1_000


async def test_a_batch_with_one_bad_task_leaves_nothing_behind(hub: PlayedHub) -> None:
    good, bad = {"prompt": "Go", "hold": True}, {"prompt": "", "hold": True}
    answer = await hub.post("/api/tasks", {"tasks": [good, bad, good]})
    assert answer.status_code == 422
    assert (await hub.client.tasks()).total == 0
    assert (await hub.client.event_history()).events == []


async def test_a_task_with_nothing_to_wait_for_starts_by_itself(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go"})
    worker = await hub.worker(task.id)
    assert (await hub.client.task(task.id)).assigned_agent == worker.agent_id


async def test_a_task_on_hold_says_so_and_waits(client: HubClient) -> None:
    task = await client.submit({"prompt": "Go", "hold": True})
    assert [why.reason for why in task.blocked_by] == ["hold"]
