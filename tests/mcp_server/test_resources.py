"""Resources, their completion, prompts, and what the list of tools costs."""

import json

import pytest
from mcp import MCPError
from mcp.types import ResourceTemplateReference, TextContent, TextResourceContents

from hub.played import PlayedHub
from mcps import ERAS, mcp_client
from swarm_api.ids import short
from swarm_api.worker import LogReport

TEMPLATE = ResourceTemplateReference(uri="swarm://tasks/{id}")


async def read(hub: PlayedHub, uri: str, era: str = "auto") -> str:
    async with mcp_client(hub.url, era) as client:
        (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content.text


@pytest.mark.parametrize("era", ERAS)
async def test_a_task_is_a_resource(hub: PlayedHub, era: str) -> None:
    task = await hub.client.submit({"prompt": "Mend the parser", "hold": True})
    assert "> Mend the parser" in await read(hub, f"swarm://tasks/{task.id}", era)


async def test_its_log_is_a_resource(hub: PlayedHub) -> None:
    task, worker = await hub.running()
    await worker.report(LogReport(stream="stdout", text="Looking"))
    assert "Looking" in await read(hub, f"swarm://tasks/{task.id}/logs")


async def test_its_changes_are_a_resource(hub: PlayedHub) -> None:
    task = await hub.ended("success")
    assert await read(hub, f"swarm://tasks/{task.id}/diff") == await hub.client.diff(task.id)


async def test_a_short_id_will_do(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Mend the parser", "hold": True})
    assert "> Mend the parser" in await read(hub, f"swarm://tasks/{short(task.id)}")


async def test_the_tables_are_a_resource_that_is_listed(hub: PlayedHub) -> None:
    async with mcp_client(hub.url) as client:
        assert [str(one.uri) for one in (await client.list_resources()).resources] == ["swarm://schema"]
    assert "usage:" in await read(hub, "swarm://schema")


@pytest.mark.parametrize("uri", ["swarm://tasks/zzz", "swarm://tasks/zzz/logs", "swarm://nothing", "file:///etc/passwd",
                                 "swarm://tasks/..%2f..%2fhealth", "swarm://tasks/a/b"])  # fmt: skip
async def test_what_is_not_there_is_refused_as_unknown(hub: PlayedHub, uri: str) -> None:
    async with mcp_client(hub.url) as client:
        with pytest.raises(MCPError) as refused:
            await client.read_resource(uri)
    assert refused.value.code == -32602


async def test_a_resource_takes_the_scope_of_its_path_of_the_api(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Mend the parser", "hold": True})
    async with mcp_client(hub.url, headers=hub.bearer("agents:read")) as client:
        with pytest.raises(MCPError, match="tasks:read"):
            await client.read_resource(f"swarm://tasks/{task.id}")


async def test_ids_are_completed(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Go", "hold": True})
    await hub.client.submit({"prompt": "Go", "hold": True})
    async with mcp_client(hub.url) as client:
        offered = await client.complete(TEMPLATE, {"name": "id", "value": task.id[:-1]})
    assert task.id in offered.completion.values
    assert len(offered.completion.values) < 3


async def test_whoever_may_not_see_tasks_is_offered_no_ids(hub: PlayedHub) -> None:
    await hub.client.submit({"prompt": "Go", "hold": True})
    async with mcp_client(hub.url, headers=hub.bearer("agents:read")) as client:
        assert (await client.complete(TEMPLATE, {"name": "id", "value": ""})).completion.values == []


@pytest.mark.parametrize("era", ERAS)
async def test_the_prompts_say_how_to_delegate(hub: PlayedHub, era: str) -> None:
    async with mcp_client(hub.url, era) as client:
        assert [one.name for one in (await client.list_prompts()).prompts] == ["swarm", "swarm_review"]
        told = await client.get_prompt("swarm", {"request": "Port it to {Rust}"})
        review = await client.get_prompt("swarm_review")
    first, second = told.messages[0].content, review.messages[0].content
    assert isinstance(first, TextContent)
    assert isinstance(second, TextContent)
    assert first.text.startswith("Hand this to the swarm: Port it to {Rust}\n")
    assert second.text.startswith("Have the swarm review HEAD:")


async def test_the_tools_cost_few_tokens(hub: PlayedHub) -> None:
    """Under 2,500, at four characters each: fewer than the ones that JSON takes."""
    async with mcp_client(hub.url) as client:
        tools = (await client.list_tools()).tools
    said = json.dumps([tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools])
    assert len(said) / 4 < 2_500


async def test_each_tool_says_what_it_is_and_whether_it_writes(hub: PlayedHub) -> None:
    async with mcp_client(hub.url) as client:
        tools = (await client.list_tools()).tools
    for tool in tools:
        assert tool.title
        assert tool.description
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint is False) == (
            tool.name in ("swarm_submit", "swarm_run", "swarm_cancel")
        )
    assert [tool.name for tool in tools if tool.annotations and tool.annotations.destructive_hint] == ["swarm_cancel"]
