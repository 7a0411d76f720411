"""`swarm_run` as a task of MCP (SEP-2663): stored before it is handed out, bound to its caller, durable as the hub."""

import asyncio
from pathlib import Path

import httpx
import pytest

from hub.played import PlayedHub, played_hub
from mcp_wire import Wire
from mcps import mcp_client

INVALID_PARAMS, NOT_FOUND = -32602, -32601
HEADER_MISMATCH, CAPABILITY_MISSING = -32020, -32021


@pytest.fixture
def wire(hub: PlayedHub) -> Wire:
    return Wire(hub.http)


async def test_a_host_that_knows_tasks_is_answered_at_once(hub: PlayedHub, wire: Wire) -> None:
    started = await wire.run(options={"hold": True})
    assert (started["resultType"], started["status"], started["ttlMs"]) == ("task", "working", None)
    assert started["pollIntervalMs"] > 0
    assert (await hub.client.tasks()).total == 1


async def test_the_task_of_the_swarm_is_stored_when_the_id_is_handed_out(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        id_ = (await Wire(hub.http).run(options={"hold": True}))["taskId"]
    async with played_hub(tmp_path) as hub:
        assert (await Wire(hub.http).result("tasks/get", taskId=id_))["status"] == "working"


async def test_its_result_is_what_the_tool_would_have_said(hub: PlayedHub, wire: Wire) -> None:
    id_ = (await wire.run())["taskId"]
    await _finish(hub, summary="All is done")
    ended = await wire.result("tasks/get", taskId=id_)
    assert (ended["status"], ended["resultType"]) == ("completed", "complete")
    assert "> All is done" in ended["result"]["content"][0]["text"]
    assert ended["result"]["isError"] is False


async def test_a_task_that_failed_is_a_call_that_failed(hub: PlayedHub, wire: Wire) -> None:
    """`failed` is for errors of the protocol alone."""
    id_ = (await wire.run())["taskId"]
    await _finish(hub, status="failure", error_code="gave_up")
    ended = await wire.result("tasks/get", taskId=id_)
    assert (ended["status"], ended["result"]["isError"]) == ("completed", True)


async def test_a_failed_run_is_an_error_for_hosts_without_tasks_too(hub: PlayedHub) -> None:
    running = asyncio.create_task(Wire(hub.http, declares=False).run())
    await anext(hub.client.events(after=0, types=["task_created"]))
    await _finish(hub, status="failure", error_code="gave_up")
    answer = await running
    assert answer["isError"] is True


async def test_cancel_stops_the_task_of_the_swarm(hub: PlayedHub, wire: Wire) -> None:
    id_ = (await wire.run(options={"hold": True}))["taskId"]
    assert (await wire.result("tasks/cancel", taskId=id_)).keys() <= {"resultType", "_meta"}
    assert (await wire.result("tasks/get", taskId=id_))["status"] == "cancelled"
    assert (await hub.client.tasks(status=["cancelled"])).total == 1


async def test_cancel_of_an_ended_task_leaves_it_as_it_is(hub: PlayedHub, wire: Wire) -> None:
    id_ = (await wire.run())["taskId"]
    await _finish(hub)
    await wire.result("tasks/cancel", taskId=id_)
    assert (await wire.result("tasks/get", taskId=id_))["status"] == "completed"


async def test_answers_to_what_nobody_asked_are_passed_over(wire: Wire) -> None:
    id_ = (await wire.run(options={"hold": True}))["taskId"]
    await wire.result("tasks/update", taskId=id_, inputResponses={"never": {"action": "accept"}})
    assert (await wire.result("tasks/get", taskId=id_))["status"] == "working"


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel", "tasks/update"])
async def test_the_task_of_another_caller_is_unknown(hub: PlayedHub, wire: Wire, method: str) -> None:
    id_ = (await wire.run(options={"hold": True}))["taskId"]
    async with httpx.AsyncClient(base_url=hub.url, headers=hub.bearer("tasks:read", "tasks:write")) as other:
        assert await Wire(other).error(method, taskId=id_, inputResponses={}) == INVALID_PARAMS
    assert (await wire.result("tasks/get", taskId=id_))["status"] == "working"


@pytest.mark.parametrize("forged", ["", "zzz", "{id}", "{id}.", "{id}.0000000000000000000000", "{id}.é"])
async def test_an_id_that_was_not_handed_out_is_unknown(hub: PlayedHub, wire: Wire, forged: str) -> None:
    await wire.run(options={"hold": True})
    task = (await hub.client.tasks()).tasks[0]
    id_ = forged.format(id=task.id)
    code = await wire.error("tasks/get", taskId=id_, named=None if id_.isascii() else "=?base64?w6k=?=")
    assert code in (INVALID_PARAMS, HEADER_MISMATCH)


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel", "tasks/update"])
async def test_a_host_that_did_not_declare_tasks_is_refused(hub: PlayedHub, wire: Wire, method: str) -> None:
    id_ = (await wire.run(options={"hold": True}))["taskId"]
    answer = await Wire(hub.http, declares=False).error(method, taskId=id_, inputResponses={})
    assert answer == CAPABILITY_MISSING


async def test_the_header_must_name_the_task_of_the_body(wire: Wire) -> None:
    id_ = (await wire.run(options={"hold": True}))["taskId"]
    assert await wire.error("tasks/get", taskId=id_, named="another") == HEADER_MISMATCH


@pytest.mark.parametrize("method", ["tasks/list", "tasks/result"])
async def test_methods_of_the_draft_before_are_not_there(wire: Wire, method: str) -> None:
    assert await wire.error(method, taskId="x") == NOT_FOUND


async def test_wrong_arguments_start_nothing(hub: PlayedHub, wire: Wire) -> None:
    answer = await wire.run(type="dance")
    assert answer["isError"] is True
    assert (await hub.client.tasks()).total == 0


async def test_what_the_hub_refuses_is_told_once_and_starts_nothing(hub: PlayedHub, wire: Wire) -> None:
    answer = await wire.run(options={"colour": "red"})
    assert (answer["isError"], answer["resultType"]) == (True, "complete")
    assert "colour: unknown field" in answer["content"][0]["text"]
    assert (await hub.client.tasks()).total == 0


async def test_its_message_says_what_the_agent_is_at(hub: PlayedHub, wire: Wire) -> None:
    id_ = (await wire.run())["taskId"]
    (task,) = (await hub.client.tasks()).tasks
    await (await hub.worker(task.id)).claim()
    assert "0 turns" in (await wire.result("tasks/get", taskId=id_))["statusMessage"]


async def test_its_message_says_less_to_who_may_not_see_agents(hub: PlayedHub) -> None:
    async with httpx.AsyncClient(base_url=hub.url, headers=hub.bearer("tasks:read", "tasks:write")) as other:
        wire = Wire(other)
        id_ = (await wire.run())["taskId"]
        (task,) = (await hub.client.tasks()).tasks
        await (await hub.worker(task.id)).claim()
        state = await wire.result("tasks/get", taskId=id_)
    assert "running" in state["statusMessage"]
    assert "turns" not in state["statusMessage"]


async def test_older_protocols_know_no_tasks(hub: PlayedHub) -> None:
    async with mcp_client(hub.url, "legacy") as client:
        assert "extensions" not in client.server_capabilities.model_dump(exclude_none=True)


async def _finish(hub: PlayedHub, **result: str) -> None:
    (task,) = (await hub.client.tasks()).tasks
    worker = await hub.worker(task.id)
    await worker.claim()
    await worker.finish(**result)
