"""`GET /openapi.json`: the hub describes itself, wholly and truly."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hub.described import Description
from hub.played import PlayedHub
from swarm_api.worker import FilesReport, LogReport, ProgressReport, UsageReport, to_wire
from swarm_hub.http import Route
from swarm_hub.openapi import describe
from swarm_hub.routes.table import ROUTES

with_the_shared_hub = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(ROUTES)


@pytest.fixture(scope="module")
def description(document: dict[str, Any]) -> Description:
    return Description(document)


@with_the_shared_hub
async def test_the_hub_serves_the_document(shared: PlayedHub, document: dict[str, Any]) -> None:
    answer = await shared.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == document


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_route_is_described_and_nothing_else(document: dict[str, Any]) -> None:
    described = {(method, path) for path, operations in document["paths"].items() for method in operations}
    assert described == {("get" if route.method == "WS" else route.method.lower(), route.path) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_description_says_what_the_route_declares(document: dict[str, Any], route: Route) -> None:
    operation = document["paths"][route.path]["get" if route.method == "WS" else route.method.lower()]
    assert operation["summary"] == route.summary
    assert operation["x-permission"] == route.permission
    assert {str(status) for status in route.answers} | {"default"} == operation["responses"].keys()
    assert ("requestBody" in operation) == bool(route.body)
    named = {parameter["name"] for parameter in operation["parameters"]}
    assert ("Idempotency-Key" in named) == route.creates
    queries = {info.alias or name for name, info in route.query.model_fields.items()}
    assert queries == {p["name"] for p in operation["parameters"] if p["in"] == "query"}


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_from_elsewhere(document: dict[str, Any]) -> None:
    references = json.dumps(document).split('"$ref": "')[1:]
    assert all(reference.startswith("#/components/schemas/") for reference in references)


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"prompt": "Go"}, True), ({"tasks": [{"prompt": "Go"}]}, True), ({}, False), ({"prompt": ""}, False),
        ({"prompt": "Go", "colour": "red"}, False), ({"prompt": "Go", "type": "poem"}, False),
        ({"prompt": "Go", "base_ref": "main"}, False), ({"tasks": []}, False), ({"prompt": 5}, False),
    ],
)  # fmt: skip
@with_the_shared_hub
async def test_the_document_and_the_hub_agree_on_what_may_be_submitted(
    shared: PlayedHub, description: Description, body: Any, fits: bool
) -> None:
    assert description.accepts("post", "/api/tasks", body) == fits
    assert ((await shared.post("/api/tasks", body)).status_code == 201) == fits


def test_a_body_that_may_be_left_out_is_described_so(document: dict[str, Any]) -> None:
    assert document["paths"]["/api/tasks/{id}/retry"]["post"]["requestBody"]["required"] is False
    assert document["paths"]["/api/tasks"]["post"]["requestBody"]["required"] is True


@with_the_shared_hub
async def test_answers_are_as_described_through_the_life_of_a_task(
    shared: PlayedHub, description: Description, repo: Path
) -> None:
    task, worker = await shared.running(maxAttempts=2, labels={"a": "b"}, name="a", context="c", verify="true")
    await worker.report(
        LogReport(stream="agent", text="a", data={"x": 1}), UsageReport(model="m", input=1, cost_micro_usd=5),
        FilesReport(paths=["a"]), ProgressReport(turns=1, last_tool="Bash", cpu_percent=1.5, rss_mb=2.5),
    )  # fmt: skip
    held = await shared.client.submit({"prompt": "Go", "hold": True, "dependsOn": [task.id]})
    for path in (
        "/api/tasks", f"/api/tasks/{task.id}", f"/api/tasks/{held.id}", f"/api/tasks/{task.id}/logs", "/api/agents",
        f"/api/agents/{worker.agent_id}", "/api/queue", "/api/provider", "/health", "/health/live", "/openapi.json",
    ):  # fmt: skip
        description.check(await shared.get(path))
    description.check(await shared.get("/api/events", Accept="application/json"))
    description.check(await shared.get(f"/api/tasks/{task.id}/diff", Accept="application/json"))
    description.check(await shared.post(f"/api/tasks/{task.id}/cancel"))
    description.check(await shared.post(f"/api/tasks/{task.id}/cancel"))
    await worker.finish(status="cancelled", error_code="cancelled", error_message="it was", files_changed=["a"])
    description.check(await shared.get(f"/api/tasks/{task.id}"))
    description.check(await shared.post(f"/api/tasks/{task.id}/retry"))
    description.check(await shared.post(f"/api/execute/{held.id}"))
    description.check(await shared.post("/api/execute/batch"))


@with_the_shared_hub
async def test_answers_to_submissions_and_workers_are_as_described(shared: PlayedHub, description: Description) -> None:
    single = await shared.post("/api/tasks", {"prompt": "Go"})
    description.check(single)
    description.check(await shared.post("/api/tasks", {"tasks": [{"prompt": "Go", "hold": True}] * 2}))
    worker = await shared.worker(single.json()["id"])
    description.check(await worker.post("claim", {"incarnation": "the-first-one"}))
    await shared.client.cancel(single.json()["id"])
    description.check(await worker.send([{**to_wire(LogReport(stream="agent", text="a")), "n": 1}]))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/tasks/nope", None), ("POST", "/api/tasks", {"colour": 1}), ("GET", "/api/tasks?colour=red", None),
        ("POST", "/api/execute/nope", None), ("GET", "/api/conflicts", None), ("POST", "/api/tasks", {"prompt": "a\0"}),
    ],
)  # fmt: skip
@with_the_shared_hub
async def test_refusals_are_as_described(
    shared: PlayedHub, description: Description, method: str, path: str, body: Any
) -> None:
    answer = await shared.http.request(method, path, json=body)
    assert answer.is_client_error or answer.status_code == 501
    description.check(answer)
