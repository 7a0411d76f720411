"""`POST /worker/v1/agents/{id}/reports`: each report counts once, whoever sends it how often."""

import asyncio
from typing import Any

import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from hub.reporting import line, numbered, texts
from swarm_api.worker import (
    MAX_LINE,
    FilesReport,
    LogReport,
    ProgressReport,
    ResultReport,
    UsageReport,
    to_wire,
)


async def test_reports_are_acknowledged_up_to_the_highest_that_is_stored(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    assert (await worker.report())["stored"] == 0
    assert (await worker.report(line("a"), line("b")))["stored"] == 2
    assert (await worker.report())["stored"] == 2


async def test_a_report_sent_twice_counts_once(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    for batch in (numbered(1, 2), numbered(1, 2), numbered(2, 3), numbered(1)):
        ack = (await worker.send(batch)).json()
    assert ack["stored"] == 3
    assert await texts(hub, task.id) == ["1", "2", "3"]


async def test_batches_sent_twice_at_once_count_once(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await asyncio.gather(*[worker.send(numbered(*range(1, 51))) for _ in range(8)])
    assert await texts(hub, task.id) == [str(n) for n in range(1, 51)]


async def test_what_comes_after_a_gap_is_not_taken(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    assert (await worker.send(numbered(1, 2, 4, 5))).json()["stored"] == 2
    assert (await worker.send(numbered(4, 5))).json()["stored"] == 2
    assert (await worker.send(numbered(3, 4, 5))).json()["stored"] == 5
    assert await texts(hub, task.id) == ["1", "2", "3", "4", "5"]


async def test_a_kind_this_hub_does_not_know_is_counted_and_left_alone(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    unknown = {"kind": "approval", "n": 2, "question": {"may": "I"}}
    assert (await worker.send([*numbered(1), unknown, *numbered(3)])).json()["stored"] == 3
    assert await texts(hub, task.id) == ["1", "3"]


async def test_what_this_hub_does_not_know_of_is_ignored(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    report = {**numbered(1)[0], "mood": "good"}
    answer = await worker.post("reports?wait=0&pace=fast", {"reports": [report], "seenControl": 0, "extra": []})
    assert answer.json()["stored"] == 1


async def test_a_log_line_keeps_its_text_time_and_data(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    at = 1_790_000_000_123
    await worker.report(
        LogReport(stream="tool", text="Edit – 日本語\t🐝\x00", at_ms=at, elapsed_ms=4_321, data={"a": [1, {"b": None}]})
    )
    (found,) = (await hub.get(f"/api/tasks/{task.id}/logs")).json()["lines"]
    assert found == {
        "seq": 1, "agentId": worker.agent_id, "stream": "tool", "text": "Edit – 日本語\t🐝\x00",
        "timestamp": "2026-09-21T14:13:20Z", "elapsedMs": 4_321, "data": {"a": [1, {"b": None}]},
    }  # fmt: skip


async def test_usage_is_added_up_for_task_and_agent_and_model(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    for model, cost in (("sonnet-1", 4_000), ("sonnet-1", 4_000), ("haiku-1", 7_000)):
        await worker.report(UsageReport(
            model=model, input=10, output=20, cache_read=30, cache_write_5m=40, cache_write_1h=50, cost_micro_usd=cost
        ))  # fmt: skip
    task = await hub.client.task(task.id)
    usage = task.usage
    assert (usage.input, usage.output, usage.cache_read) == (30, 60, 90)
    assert (usage.cache_write_5m, usage.cache_write_1h) == (120, 150)
    assert (usage.by_model["sonnet-1"].input, usage.by_model["sonnet-1"].cost_micro_usd) == (20, 8_000)
    assert (task.cost_micro_usd, task.cost_cents) == (15_000, 2)
    agent = await hub.client.agent(worker.agent_id)
    assert (agent.tokens_used.input, agent.tokens_used.cache_write, agent.cost_micro_usd) == (30, 270, 15_000)


async def test_usage_goes_by_the_names_of_the_contract(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.report(UsageReport(model="m", cache_write_5m=1, cache_write_1h=2, cost_micro_usd=3))
    usage = (await hub.get(f"/api/tasks/{task.id}")).json()["usage"]
    assert (usage["cacheWrite5m"], usage["cacheWrite1h"], usage["byModel"]["m"]["costMicroUsd"]) == (1, 2, 3)


async def test_a_result_carries_the_costs_of_all_attempts(hub: PlayedHub) -> None:
    task, worker = await hub.running(maxAttempts=2)
    await worker.report(UsageReport(model="m", cost_micro_usd=30_000))
    await worker.finish(status="failure", error_code="runtime_crashed")
    worker = await hub.worker(task.id, attempt=2)
    await worker.claim()
    await worker.report(UsageReport(model="m", cost_micro_usd=30_000))
    await worker.finish()
    task = await hub.client.task(task.id)
    assert task.result is not None
    assert (task.cost_cents, task.result.cost_cents) == (6, 6)
    assert (await hub.client.agent(worker.agent_id)).cost_cents == 3


async def test_progress_and_files_show_in_the_agent(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    await worker.report(ProgressReport(turns=3, last_tool="Bash", cpu_percent=12.5, rss_mb=300.0))
    await worker.report(ProgressReport(turns=4), FilesReport(paths=["a", "b"]), FilesReport(paths=["a", "b", "c"]))
    agent = await hub.client.agent(worker.agent_id)
    assert (agent.progress.turns, agent.progress.last_tool, agent.progress.files_changed) == (4, "Bash", 3)
    assert (agent.resources.cpu_percent, agent.resources.rss_mb) == (12.5, 300.0)


async def test_the_last_report_is_the_result(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.finish(
        summary="Done.", branch="swarm/x", base_commit="a" * 40, commit="b" * 40, files_changed=["x"], additions=3,
        deletions=1, duration_ms=1234, turns=5,
    )  # fmt: skip
    task = await hub.client.task(task.id)
    assert task.status == "completed"
    assert task.finished_at is not None
    assert task.result is not None
    assert task.result.model_dump() == {
        "status": "success", "summary": "Done.", "error": None, "branch": "swarm/x", "base_commit": "a" * 40,
        "commit": "b" * 40, "files_changed": ["x"], "additions": 3, "deletions": 1, "pull_request_url": None,
        "cost_cents": 0, "duration_ms": 1234, "turns": 5,
    }  # fmt: skip
    assert (await hub.client.agent(worker.agent_id)).status == "finished"


@pytest.mark.parametrize(
    ("result", "task"),
    [("success", "completed"), ("failure", "failed"), ("timeout", "failed"), ("budget", "failed"),
     ("cancelled", "cancelled")],
)  # fmt: skip
async def test_a_result_decides_the_tasks_end(hub: PlayedHub, result: str, task: str) -> None:
    assert (await hub.ended(result)).status == task


async def test_a_worker_that_stops_without_being_told_to_has_failed(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.finish(status="cancelled", error_code="worker_stopped")
    assert (await hub.client.task(task.id)).status == "failed"


async def test_nothing_after_the_result_is_taken(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    result = {**to_wire(ResultReport(status="success")), "n": 2}
    assert (await worker.send([*numbered(1), result, *numbered(3)])).json()["stored"] == 2
    assert_problem(await worker.send(numbered(3)), 409, "stale_agent")
    assert await texts(hub, task.id) == ["1"]


async def test_the_last_words_may_be_repeated(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    result = {**to_wire(ResultReport(status="success")), "n": 1}
    first, again = await worker.send([result]), await worker.send([result])
    assert (again.status_code, again.json()) == (200, first.json())
    history = await hub.client.event_history(task_id=task.id, types=["task_completed"])
    assert len(history.events) == 1


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
async def test_the_answer_to_a_result_is_not_held_back(hub: PlayedHub, again: bool) -> None:
    _, worker = await hub.running()
    result = {**to_wire(ResultReport(status="success")), "n": 1}
    if again:
        await worker.send([result])
    async with asyncio.timeout(5):
        answer = await worker.send([result], wait=25)
    assert (answer.status_code, answer.json()["stored"]) == (200, 1)


async def test_a_thousand_reports_make_a_batch_and_no_more(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    assert_problem(await worker.send(numbered(*range(1, 1_002))), 422, "invalid_input", "reports")
    assert (await worker.send(numbered(*range(1, 1_001)))).json()["stored"] == 1_000
    assert (await hub.client.logs(task.id, after=999)).lines[0].text == "1000"


@pytest.mark.parametrize(
    "report",
    [
        {"kind": "log", "n": 1}, {"kind": "log", "n": 1, "stream": "loud", "text": "a"},
        {"kind": "log", "n": 1, "stream": "agent", "text": "x" * (MAX_LINE + 1)},
        {"kind": "log", "n": 1, "stream": "agent", "text": "a", "atMs": 10**30},
        {"kind": "log", "n": 1, "stream": "agent", "text": "a", "atMs": -(10**15)},
        {"kind": "log", "n": 1, "stream": "agent", "text": "a", "elapsedMs": 10**30},
        {"kind": "usage", "n": 1, "model": "m", "input": -1},
        {"kind": "usage", "n": 1, "model": "m", "costMicroUsd": 10**30},
        {"kind": "progress", "n": 1, "turns": 10**30}, {"kind": "result", "n": 1, "status": "fine"},
        {"kind": "result", "n": 1, "status": "success", "turns": 10**30}, {"kind": "log", "n": "one"}, 7, None,
    ],
)  # fmt: skip
async def test_a_report_that_cannot_be_kept_is_refused_and_nothing_of_its_batch_is(hub: PlayedHub, report: Any) -> None:
    _, worker = await hub.running()
    assert_problem(await worker.send([report]), 422, "invalid_input")
    assert (await worker.report())["stored"] == 0


async def test_control_seen_is_a_number_that_fits(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    assert_problem(await worker.send([], seen=10**30), 422, "invalid_input", "seenControl")
