"""Each task is one trace at a collector of OpenTelemetry's."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.conftest import MODEL, play
from hub.played import PlayedHub, played_hub
from scripted_api import ScriptedApi, Status, Text, Turn, Usage, scripted_api
from swarm_executors.protocol import Observation
from swarm_hub import scheduler
from telemetry.conftest import told_to
from telemetry.receiver import Receiver, receiver
from telemetry.work import WHOLE, begun, done, named, submitted
from waiting import until

CALLERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def collector() -> Iterator[Receiver]:
    with receiver() as collector:
        yield collector


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(
    tmp_path_factory: pytest.TempPathFactory, collector: Receiver, api: ScriptedApi
) -> AsyncIterator[PlayedHub]:
    """One hub for all tests here: each looks at the spans of its own task."""
    async with played_hub(tmp_path_factory.mktemp("hub"), **told_to(collector, api)) as hub:
        yield hub


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
    (booked,) = [call for call in await agent.calls() if call.task_id == agent.task.id]
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
    prompt = f"Fail with {fault.code}"
    api.scripts[prompt] = [Turn((Text("Done."),), faults=(fault,))]
    agent = await play(hub)
    status = (await agent.ask(prompt)).status_code
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
