"""Every line of the hub's own log says what it is about: the request, the task, the agent."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.played import PlayedHub, played_hub
from hubs import AUTHORIZED, HubProcess
from swarm_api.redaction import Redactor
from swarm_executors.protocol import ExecutorError, Handle, Observation
from swarm_hub import logs, scheduler
from swarm_hub.about import REQUEST_ID
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Transaction
from waiting import until

Line = dict[str, Any]


def lines(hub: HubProcess) -> list[Line]:
    return [json.loads(line) for line in hub.log.read_text().splitlines() if line.startswith("{")]


def about(line: Line) -> tuple[Any, ...]:
    return line["message"], line["requestId"], line.get("taskId"), line.get("agentId")


async def test_a_tasks_life_is_in_the_log_with_its_ids_and_the_request_that_began_it(
    start_hub: Callable[..., HubProcess],
) -> None:
    hub = start_hub(SIMULATE_MODE="true")
    async with httpx.AsyncClient(base_url=hub.url, headers=AUTHORIZED, trust_env=False) as http, hub.client() as client:
        body = {"prompt": "Work", "labels": {"simulate.seconds": "0", "simulate.fail": "true"}}
        answer = await http.post("/api/tasks", json=body, headers={"X-Request-Id": "mine-1"})
        id_ = answer.json()["id"]
        await client.wait(id_)
        await until(lambda: any(line["message"].startswith("task failed") for line in lines(hub)))
        agent = (await client.task(id_)).assigned_agent
        code = (await client.task(id_)).result
    assert code is not None
    assert code.error is not None
    told = [line for line in lines(hub) if line.get("taskId") == id_]
    created, spawned, started, completed, failed = (about(line) for line in told)
    assert created == ("task created", "mine-1", id_, None)
    assert spawned == ("agent spawned", "-", id_, agent)
    assert [started[0], started[2:]] == ["task started", (id_, agent)]
    assert started[1] != "-"  # its worker asked for the order
    assert [completed[0], completed[2:]] == [f"agent completed: {code.error.code!r}", (id_, agent)]
    assert [failed[0], failed[2:]] == [f"task failed: {code.error.code!r}", (id_, agent)]
    assert failed[1] == completed[1] != "-"
    assert [line["seq"] for line in told] == sorted(line["seq"] for line in told)
    assert {(line["level"], line["logger"]) for line in told} == {("info", "swarm_hub.life")}


@pytest.fixture
def shown() -> Iterator[Callable[[], list[Line]]]:
    """What a hub in the test's own process logs."""
    said = io.StringIO()
    handler, log = logging.StreamHandler(said), logging.getLogger("swarm_hub")
    handler.setFormatter(logs.JsonLines(Redactor()))
    log.addHandler(handler)
    yield lambda: [json.loads(line) for line in said.getvalue().splitlines()]
    log.removeHandler(handler)


async def test_what_goes_wrong_with_an_agent_names_it(
    tmp_path: Path, shown: Callable[[], list[Line]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "SWEEP", 0.05)

    async def fail(handle: Handle) -> Observation:
        raise ExecutorError("the provider is away")

    async with played_hub(tmp_path) as hub:
        _, worker = await hub.running()
        monkeypatch.setattr(hub.stage, "poll", fail)
        await until(lambda: any("the provider is away" in line["message"] for line in shown()))
        monkeypatch.undo()
    assert shown()[0]["agentId"] == worker.agent_id


@pytest.mark.parametrize(
    ("method", "path", "about"),
    [
        ("GET", "/api/tasks/{taskId}", "taskId"),
        ("GET", "/api/agents/{agentId}", "agentId"),
        ("POST", "/worker/v1/agents/{agentId}/claim", "agentId"),
    ],
)
async def test_what_goes_wrong_with_a_request_names_what_it_is_about(
    tmp_path: Path, shown: Callable[[], list[Line]], monkeypatch: pytest.MonkeyPatch, method: str, path: str, about: str
) -> None:
    async with played_hub(tmp_path) as hub:
        task, worker = await hub.running()
        broken(hub, monkeypatch)
        ids = {"taskId": task.id, "agentId": worker.agent_id}
        headers = {"X-Request-Id": "mine-2", **(worker.headers if method == "POST" else {})}
        body = {"incarnation": "the-first-one"} if method == "POST" else None
        answer = await hub.http.request(method, path.format(**ids), json=body, headers=headers)
        monkeypatch.undo()
    assert answer.status_code == 500
    (line,) = [line for line in shown() if line["requestId"] == "mine-2"]
    assert {name: line[name] for name in ids if name in line} == {about: ids[about]}
    assert "the store is broken" in line["exception"]


def broken(hub: PlayedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing can be read or written: a fault that nobody foresaw."""

    async def fail(*_: object) -> None:
        raise RuntimeError("the store is broken")

    monkeypatch.setattr(hub.parts.store, "read", fail)
    monkeypatch.setattr(hub.parts.store, "write", fail)


async def test_what_a_path_holds_besides_ids_is_not_in_a_line(
    tmp_path: Path, shown: Callable[[], list[Line]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with played_hub(tmp_path) as hub:
        broken(hub, monkeypatch)
        await hub.get("/api/tasks/tsk_0123456789abcdef%0Aforged", **{"X-Request-Id": "mine-3"})
        monkeypatch.undo()
    (line,) = [line for line in shown() if line["requestId"] == "mine-3"]
    assert "taskId" not in line


def test_a_line_for_people_names_the_same() -> None:
    record = logging.LogRecord("hub", logging.INFO, "hub.py", 1, "agent completed", (), None)
    record.request_id, record.task_id, record.agent_id = "mine-1", "tsk_1", "local-agent-1"
    assert " [mine-1 tsk_1 local-agent-1] hub: agent completed" in logs.TextLines(Redactor()).format(record)


async def test_an_event_that_was_undone_leaves_no_request_to_the_next(tmp_path: Path) -> None:
    heard: dict[int, str] = {}

    def undone(tx: Transaction) -> None:
        tx.event("task_created", "tsk_1", {})
        raise ValueError("undone")

    async with Store(tmp_path / "hub.db") as store:
        store.listen(lambda notices: heard.update(notices.requests))
        token = REQUEST_ID.set("mine-4")
        with pytest.raises(ValueError, match="undone"):
            await store.write(undone)
        REQUEST_ID.reset(token)
        await store.write(lambda tx: tx.event("task_created", "tsk_2", {}))
        assert (heard, store.last_seq) == ({}, 1)
