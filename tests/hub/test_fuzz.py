"""Whatever is sent, the hub answers, and never with a 500."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.played import PlayedHub, Worker
from swarm_api.tasks import TaskIn
from swarm_hub.http import Route
from swarm_hub.routes.table import ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="module")

light = settings(
    max_examples=60, deadline=None, database=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
FIELDS = [info.alias or name for name, info in TaskIn.model_fields.items()]
REPORTS: dict[str, dict[str, Any]] = {
    "log": {"stream": "agent", "text": "x"}, "usage": {"model": "m"}, "files": {"paths": []}, "progress": {},
    "approval": {},
}  # fmt: skip
REPORT_FIELDS = [
    "n", "stream", "text", "atMs", "elapsedMs", "data", "model", "input", "costMicroUsd", "paths", "turns", "lastTool",
    "sessionId", "rssMb", "status", "summary", "errorCode", "commit", "filesChanged", "durationMs", "patch",
]  # fmt: skip

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(
    ["main", "/", "file:///", "sonnet", "success", "tsk_0000000000000000", "\0", "\ud800", "a" * 5_000, 10**400, "-x"]
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=8
)
objects = st.dictionaries(st.text() | st.sampled_from(FIELDS), anything, max_size=6)
tasks = st.builds(lambda fields: {"prompt": "Go", "hold": True, **fields}, objects)
report_fields = st.dictionaries(st.sampled_from(REPORT_FIELDS), anything, max_size=4)
reports = st.lists(
    st.builds(lambda kind, more: {"kind": kind, **REPORTS[kind], **more}, st.sampled_from([*REPORTS]), report_fields),
    max_size=3,
)
words = st.text(max_size=40) | st.sampled_from(
    ["", "..", "\0", "-1", "1e9", "9" * 25, "null", "task_created", "é" * 300]
)
PARAMETERS = ["status", "type", "label", "q", "since", "until", "limit", "cursor", "page", "after", "before", "types",
              "taskId", "active", "wait"]  # fmt: skip


async def send(hub: PlayedHub, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    content = None if body is None else json.dumps(body)
    answer = await hub.http.request(method, path, content=content, headers=headers)
    assert answer.status_code < 500 or answer.json()["code"] == "not_supported", answer.text
    if not answer.is_success:
        assert answer.headers["content-type"] == "application/problem+json"
    return answer


@light
@given(body=tasks | objects | anything)
async def test_submitting_anything(shared: PlayedHub, body: Any) -> None:
    answer = await send(shared, "POST", "/api/tasks", body)
    if answer.status_code == 201:
        task = answer.json()
        assert (await shared.get(f"/api/tasks/{task['id']}")).json()["prompt"] == task["prompt"]


@light
@given(body=st.builds(lambda batch, more: {"tasks": batch, **more}, st.lists(tasks, max_size=3), objects))
async def test_submitting_any_batch(shared: PlayedHub, body: Any) -> None:
    await send(shared, "POST", "/api/tasks", body)


@light
@given(body=st.binary(max_size=200))
async def test_submitting_any_bytes(shared: PlayedHub, body: bytes) -> None:
    answer = await shared.http.post("/api/tasks", content=body)
    assert answer.status_code in (400, 422)


@light
@given(field=st.sampled_from(FIELDS), value=anything)
async def test_any_value_in_any_field(shared: PlayedHub, field: str, value: Any) -> None:
    await send(shared, "POST", "/api/tasks", {"prompt": "Go", "hold": True, field: value})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker(shared: PlayedHub) -> Worker:
    _, worker = await shared.running()
    return worker


@light
@given(batch=reports, more=objects)
async def test_reporting_anything(shared: PlayedHub, worker: Worker, batch: list[dict[str, Any]], more: Any) -> None:
    numbered = [{"n": worker.last + i, **report} for i, report in enumerate(batch, 1)]
    path = f"/worker/v1/agents/{worker.agent_id}/reports"
    answer = await send(shared, "POST", path, {**more, "reports": numbered}, **worker.headers)
    assert answer.status_code in (200, 400, 422)
    worker.last = answer.json().get("stored", worker.last)


@settings(light, max_examples=20)
@given(fields=report_fields)
async def test_ending_with_anything(shared: PlayedHub, fields: dict[str, Any]) -> None:
    task, worker = await shared.running()
    path = f"/worker/v1/agents/{worker.agent_id}/reports"
    result = {"kind": "result", "status": "success", **fields, "n": 1}
    answer = await send(shared, "POST", path, {"reports": [result]}, **worker.headers)
    ended = (await shared.get(f"/api/tasks/{task.id}")).json()
    assert (ended["status"] != "running") == answer.is_success
    await send(shared, "GET", f"/api/tasks/{task.id}/diff", accept="application/json")
    if not answer.is_success:
        await worker.finish()  # its place is for the next example


@light
@given(body=objects | anything)
async def test_claiming_with_anything(shared: PlayedHub, worker: Worker, body: Any) -> None:
    await send(shared, "POST", f"/worker/v1/agents/{worker.agent_id}/claim", body, **worker.headers)


@light
@given(
    route=st.sampled_from([route for route in ROUTES if route.method == "GET"]),
    query=st.lists(st.tuples(st.sampled_from(PARAMETERS) | words, words), max_size=4),
    name=words,
)
async def test_asking_for_anything(shared: PlayedHub, route: Route, query: list[tuple[str, str]], name: str) -> None:
    path = route.path.replace("{id}", quote(name, safe="", errors="replace"))
    pairs = "&".join(f"{quote(key, errors='replace')}={quote(value, errors='replace')}" for key, value in query)
    answer = await shared.http.get(f"{shared.url}{path}?{pairs}", headers={"Accept": "application/json"})
    assert answer.status_code < 500 or answer.json()["code"] == "not_supported", answer.text
