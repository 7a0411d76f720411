"""Each task is one trace at a collector of OpenTelemetry's, whatever happens to the hub or the collector."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.conftest import MODEL, play
from hub.played import PlayedHub, Worker, played_hub
from scripted_api import ScriptedApi, Status, Text, Turn, Usage
from swarm_executors.protocol import Observation
from swarm_hub import scheduler
from swarm_hub.store.writer import wall_clock
from telemetry.receiver import Receiver, Told
from waiting import until

CALLERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
WHOLE = ("task code", "wait", "start", "invoke_agent")


async def submitted(hub: PlayedHub, **headers: str) -> str:
    answer = await hub.post("/api/tasks", {"prompt": "Work"}, **headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def begun(hub: PlayedHub, task_id: str, attempt: int = 1) -> Worker:
    worker = await hub.worker(task_id, attempt)
    await worker.claim()
    return worker


async def done(hub: PlayedHub, **result: Any) -> str:
    """A task that has ended."""
    task = await hub.ended(**result)
    return task.id


async def test_a_task_is_one_trace_from_its_submission_to_its_result(
    hub: PlayedHub, collector: Receiver, api: ScriptedApi
) -> None:
    api.scripts["Work"] = [Turn((Text("Done."),), Usage(input=100, output=20, cache_read=7, cache_write_5m=5))]
    agent = await play(hub, labels={"team": "web"})
    await agent.ask("Work")
    await agent.worker.finish(files_changed=["a.py", "b.py"])
    id_ = agent.task.id
    await until(lambda: collector.has(id_, *WHOLE, f"chat {MODEL}"))
    task, wait, start, worked, call = (collector.named(id_, name) for name in (*WHOLE, f"chat {MODEL}"))
    assert len(collector.of(id_)) == 5
    assert {span.trace_id for span in collector.of(id_)} == {task.trace_id}
    assert len({span.span_id for span in collector.of(id_)}) == 5
    assert [task.parent_id, wait.parent_id, worked.parent_id] == ["", task.span_id, task.span_id]
    assert start.parent_id == call.parent_id == worked.span_id
    ordered = [task.start, wait.end, start.end, call.start, call.end, worked.end]
    assert ordered == sorted(ordered)
    assert (wait.start, worked.start, start.start, worked.end) == (task.start, wait.end, wait.end, task.end)
    assert abs(task.end / 1e9 - time.time()) < 60
    assert [span.status for span in (task, wait, start, worked, call)] == ["ok", "", "", "ok", "ok"]
    assert [span.outward for span in (task, wait, start, worked, call)] == [False, False, False, False, True]


async def test_a_call_says_what_the_conventions_have_names_for(
    hub: PlayedHub, collector: Receiver, api: ScriptedApi
) -> None:
    api.scripts["Work"] = [Turn((Text("Done."),), Usage(input=100, output=20, cache_read=7, cache_write_5m=5))]
    agent = await play(hub)
    await agent.ask("Work")
    (booked,) = await agent.calls()
    await until(lambda: collector.has(agent.task.id, f"chat {MODEL}"))  # the agent works on
    told = collector.named(agent.task.id, f"chat {MODEL}").attributes
    assert told.pop("gen_ai.response.time_to_first_chunk") == booked.first_ms / 1000
    assert told == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": 112, "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 7, "gen_ai.usage.cache_creation.input_tokens": 5,
        "gen_ai.response.finish_reasons": ["end_turn"], "http.response.status_code": 200,
        "swarm.task.id": agent.task.id, "swarm.agent.id": agent.worker.agent_id, "swarm.call.id": booked.id,
        "swarm.cost.micro_usd": booked.cost_micro_usd,
        "swarm.cost.estimated": False,
    }  # fmt: skip


async def test_a_task_and_its_agent_say_what_they_were(hub: PlayedHub, collector: Receiver, repo: Path) -> None:
    task, worker = await hub.running(type="docs", model="haiku", repo=str(repo), labels={"team": "web"})
    await worker.finish(files_changed=["a.py"], turns=3)
    await until(lambda: collector.has(task.id, "task docs", "invoke_agent"))
    told, agent = (collector.named(task.id, name).attributes for name in ("task docs", "invoke_agent"))
    assert told == {
        "swarm.task.id": task.id, "swarm.task.type": "docs", "swarm.task.priority": "normal",
        "swarm.task.tier": "light", "swarm.task.attempts": 1, "swarm.task.status": "completed",
        "swarm.repo": str(repo), "swarm.label.team": "web", "swarm.result.status": "success",
        "swarm.result.files_changed": 1, "swarm.cost.micro_usd": 0, "gen_ai.request.model": "haiku",
    }  # fmt: skip
    assert agent == {
        "swarm.task.id": task.id, "swarm.agent.id": worker.agent_id, "gen_ai.agent.id": worker.agent_id,
        "gen_ai.operation.name": "invoke_agent", "swarm.agent.attempt": 1, "swarm.agent.provider": "local",
        "swarm.agent.tier": "light", "swarm.agent.turns": 3, "swarm.result.status": "success",
        "swarm.cost.micro_usd": 0,
    }  # fmt: skip


async def test_nothing_that_somebody_wrote_is_told(hub: PlayedHub, collector: Receiver, api: ScriptedApi) -> None:
    api.scripts["the-prompt"] = [Turn((Text("the-answer"),))]
    agent = await play(hub, prompt="the-prompt", context="the-context", name="the-name")
    await agent.ask("the-prompt")
    await agent.worker.finish(
        status="failure", error_code="boom", error_message="the-message", summary="the-summary",
        files_changed=["the-file"], branch="the-branch",
    )  # fmt: skip
    await until(lambda: collector.has(agent.task.id, "task code", "invoke_agent", f"chat {MODEL}"))
    assert b"boom" in collector.bodies
    assert b"the-" not in collector.bodies


async def test_a_failed_task_is_an_error(hub: PlayedHub, collector: Receiver) -> None:
    failed = await done(hub, error_code="verify_failed")
    await until(lambda: collector.has(failed, *WHOLE))
    task, agent = collector.named(failed, "task code"), collector.named(failed, "invoke_agent")
    assert [task.status, agent.status] == ["error", "error"]
    assert task.attributes["error.type"] == agent.attributes["error.type"] == "verify_failed"
    assert collector.named(failed, "wait").status == collector.named(failed, "start").status == ""


async def test_a_cancelled_task_is_no_error(hub: PlayedHub, collector: Receiver) -> None:
    cancelled = await done(hub, status="cancelled")
    await until(lambda: collector.has(cancelled, *WHOLE))
    assert {span.status for span in collector.of(cancelled)} <= {"", "ok"}
    assert collector.named(cancelled, "task code").attributes["swarm.task.status"] == "cancelled"


@pytest.mark.parametrize("fault", [Status(400), Status(529)], ids=["refused", "overloaded"])
async def test_a_call_that_failed_is_an_error(
    hub: PlayedHub, collector: Receiver, api: ScriptedApi, fault: Status
) -> None:
    api.scripts["Work"] = [Turn((Text("Done."),), faults=(fault,))]
    agent = await play(hub)
    status = (await agent.ask("Work")).status_code
    await until(lambda: collector.has(agent.task.id, f"chat {MODEL}"))
    call = collector.named(agent.task.id, f"chat {MODEL}")
    assert (call.status, call.attributes["error.type"]) == ("error", str(status))


async def test_another_attempt_is_another_agent_of_the_same_trace(
    hub: PlayedHub, collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "SWEEP", 0.05)
    task = await hub.client.submit({"prompt": "Work", "maxAttempts": 2})
    first = await begun(hub, task.id)
    hub.stage.ended[first.agent_id] = Observation("lost")
    await (await begun(hub, task.id, attempt=2)).finish()
    await until(lambda: collector.has(task.id, "task code"))
    root, agents = collector.named(task.id, "task code"), named(collector, task.id, "invoke_agent")
    assert [agent.status for agent in agents] == ["error", "ok"]
    assert root.status == "ok"
    assert {span.trace_id for span in collector.of(task.id)} == {root.trace_id}
    assert {agent.parent_id for agent in agents} == {root.span_id}
    waits = named(collector, task.id, "wait")
    assert waits[1].start == agents[0].end


async def test_a_retry_by_hand_is_a_child_of_the_task(hub: PlayedHub, collector: Receiver) -> None:
    failed = await done(hub, error_code="boom")
    await hub.client.retry(failed)
    await (await begun(hub, failed, attempt=2)).finish()
    await until(lambda: collector.has(failed, "task code", "retry"))
    task, retry = collector.named(failed, "task code"), collector.named(failed, "retry")
    assert (retry.trace_id, retry.parent_id, retry.status) == (task.trace_id, task.span_id, "ok")
    assert [agent.parent_id for agent in named(collector, failed, "invoke_agent")] == [task.span_id, retry.span_id]


async def test_a_task_that_is_submitted_in_a_trace_is_part_of_it(hub: PlayedHub, collector: Receiver) -> None:
    task_id = await submitted(hub, traceparent=CALLERS + "01")
    await (await begun(hub, task_id)).finish()
    await until(lambda: collector.has(task_id, *WHOLE))
    assert {span.trace_id for span in collector.of(task_id)} == {"0af7651916cd43dd8448eb211c80319c"}
    assert collector.named(task_id, "task code").parent_id == "b7ad6b7169203331"


async def test_a_task_whose_caller_records_nothing_is_not_told(hub: PlayedHub, collector: Receiver) -> None:
    silent = await submitted(hub, traceparent=CALLERS + "00")
    await (await begun(hub, silent)).finish()
    told = await done(hub)
    await until(lambda: collector.has(told, "task code"))
    assert collector.of(silent) == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        "00-0-0-01",
        CALLERS,
        CALLERS + "01-more",
        "ff" + CALLERS[2:] + "01",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
    ],
)
async def test_a_header_that_is_none_is_as_if_it_were_not_there(
    hub: PlayedHub, collector: Receiver, header: str
) -> None:
    task_id = await submitted(hub, traceparent=header)
    await (await begun(hub, task_id)).finish()
    await until(lambda: collector.has(task_id, "task code"))
    assert collector.named(task_id, "task code").parent_id == ""
    assert collector.named(task_id, "task code").trace_id != CALLERS[3:35]


async def test_a_hub_that_was_restarted_goes_on_with_the_trace_and_tells_nothing_twice(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver
) -> None:
    async with played_hub(tmp_path, **traced) as hub:
        task, worker = await hub.running()
        await until(lambda: collector.has(task.id, "start"))
    async with played_hub(tmp_path, **traced) as hub:
        again = Worker(hub.http, hub.stage, worker.agent_id, hub.token(worker.agent_id))
        await again.finish()
        await until(lambda: collector.has(task.id, "task code"))
    async with played_hub(tmp_path, **traced) as hub:
        other = await done(hub)
        await until(lambda: collector.has(other, "task code"))
    assert sorted(span.name for span in collector.of(task.id)) == sorted(WHOLE)
    assert len({span.trace_id for span in collector.of(task.id)}) == 1


async def test_however_many_pages_it_takes_each_span_is_told_once(
    hub: PlayedHub, collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm_hub.traces.source.PAGE", 3)
    agents = [await play(hub) for _ in range(3)]
    await asyncio.gather(*(agent.ask("Work") for agent in agents for _ in range(3)))
    for agent in agents:
        await agent.worker.finish()
    await until(lambda: len(collector.spans) >= 21)
    told = [span.span_id for span in collector.spans]
    assert len(told) == len(set(told)) == 21


async def test_what_is_left_when_the_hub_stops_is_told(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with played_hub(tmp_path, **traced) as hub:
        first = await done(hub)
        await until(lambda: collector.has(first, "task code"))
        monkeypatch.setattr("swarm_hub.traces.traces.EVERY", 1_000.0)
        last = await done(hub)
    assert collector.has(last, *WHOLE)


async def test_what_was_before_traces_were_asked_for_is_not_told(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver
) -> None:
    async with played_hub(tmp_path, **{**traced, "otlp_endpoint": None}) as hub:
        before = await done(hub)
    async with played_hub(tmp_path, **traced) as hub:
        after = await done(hub)
        await until(lambda: collector.has(after, "task code"))
    assert collector.of(before) == []


async def test_a_collector_that_is_away_is_told_later_and_complained_of_once(
    hub: PlayedHub, collector: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    collector.refuses = 400  # the library tries that once; others it tries for ten seconds
    first = await done(hub)
    await until(lambda: collector.asked >= 3)
    assert (await hub.get("/health")).status_code == 200
    collector.refuses = None
    await until(lambda: collector.has(first, *WHOLE))
    said = [record.getMessage() for record in caplog.records if collector.url in record.getMessage()]
    assert len(said) == 2
    assert "takes no spans" in said[0]
    assert "400" in said[0]
    assert said[1].endswith("takes spans again")


async def test_what_ended_an_hour_ago_is_not_told_any_more(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver
) -> None:
    collector.refuses = 400
    async with played_hub(tmp_path, **traced) as hub:
        stale = await done(hub)
        await until(lambda: collector.asked)
    collector.refuses = None
    async with played_hub(tmp_path, lambda: wall_clock() + 3_700_000, **traced) as hub:
        fresh = await done(hub)
        await until(lambda: collector.has(fresh, "task code"))
    assert collector.of(stale) == []


@pytest.mark.parametrize("how", ["hangs", "refuses"])
async def test_a_collector_that_takes_nothing_does_not_keep_a_hub_from_stopping(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver, how: str
) -> None:
    setattr(collector, how, True if how == "hangs" else 503)
    async with played_hub(tmp_path, **traced) as hub:
        await done(hub)
        await until(lambda: collector.asked)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 3


def named(collector: Receiver, task_id: str, name: str) -> list[Told]:
    return sorted((span for span in collector.of(task_id) if span.name == name), key=lambda span: span.start)
