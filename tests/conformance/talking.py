"""Tools, resources and prompts of the official conformance suite that only answer. Names and texts are the suite's."""

import asyncio
import base64
import json
from typing import Annotated, Any

from mcp import MCPError
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.prompts.base import Prompt, UserMessage
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    SetLevelRequestParams,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
REST = 0.05  # seconds between two notices, so that each has a line of its own on the wire

SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef", "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"}, "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"}, "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]}, "else": {"required": ["email"]}, "additionalProperties": False,
}  # fmt: skip


def offer(server: MCPServer[Any]) -> None:
    for tool in (
        test_simple_text, test_image_content, test_audio_content, test_embedded_resource, test_multiple_content_types,
        test_tool_with_logging, test_tool_with_progress, test_error_handling, test_x_mcp_header,
        test_missing_capability, json_schema_2020_12_tool, greet,
    ):  # fmt: skip
        server.add_tool(tool)
    # The SDK takes a schema from a signature alone.
    server._tool_manager._tools["json_schema_2020_12_tool"].parameters = SCHEMA_2020_12
    _changing(server)
    _resources(server)
    _prompts(server)
    server._lowlevel_server.add_request_handler("logging/setLevel", SetLevelRequestParams, _set_level)


def test_simple_text() -> str:
    """A text."""
    return "This is a simple text response for testing."


def test_image_content() -> list[ImageContent]:
    """A picture."""
    return [ImageContent(type="image", data=PIXEL, mime_type="image/png")]


def test_audio_content() -> list[AudioContent]:
    """A sound."""
    return [AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")]


def test_embedded_resource() -> list[EmbeddedResource]:
    """A resource inside of an answer."""
    return [_embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Several kinds in one answer."""
    return [
        TextContent(type="text", text="Multiple content types test:"),
        ImageContent(type="image", data=PIXEL, mime_type="image/png"),
        _embedded("test://mixed-content-resource", "application/json", '{"test": "data", "value": 123}'),
    ]


async def test_tool_with_logging(ctx: Context[Any]) -> str:
    """Three lines of log on the way."""
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(line)
        await asyncio.sleep(REST)
    return "Tool with logging executed successfully"


async def test_tool_with_progress(ctx: Context[Any]) -> str:
    """Three reports of progress on the way."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100, f"Completed step {done} of 100")
        await asyncio.sleep(REST)
    return "Done."


def test_error_handling() -> str:
    """A tool that fails."""
    raise RuntimeError("This tool intentionally returns an error for testing")


def test_x_mcp_header(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})] = "<none>",  # noqa: PT028  # no test of pytest's
) -> str:
    """A parameter that travels as a header too."""
    return f"region={region}"


async def test_missing_capability(ctx: Context[Any]) -> str:
    """A tool for clients that can sample."""
    can = ctx.client_capabilities
    if can is None or can.sampling is None:
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY, message="the client cannot sample",
            data={"requiredCapabilities": {"sampling": {}}},
        )  # fmt: skip
    return "Client declared sampling capability; proceeding."


def json_schema_2020_12_tool() -> str:
    """A tool whose schema uses what 2020-12 has."""
    return "json_schema_2020_12_tool"


def greet(name: str) -> str:
    """A tool that is never a task."""
    return f"Hello, {name}!"


def _changing(server: MCPServer[Any]) -> None:
    async def test_trigger_tool_change(ctx: Context[Any]) -> str:
        """A tool comes and goes."""
        server.add_tool(greet, "test_dynamic_tool")
        server.remove_tool("test_dynamic_tool")
        await ctx.notify_tools_changed()
        return "changed"

    async def test_trigger_prompt_change(ctx: Context[Any]) -> str:
        """A prompt comes and goes."""
        server.add_prompt(Prompt.from_function(_simple, name="test_dynamic_prompt"))
        server.remove_prompt("test_dynamic_prompt")
        await ctx.notify_prompts_changed()
        return "changed"

    server.add_tool(test_trigger_tool_change)
    server.add_tool(test_trigger_prompt_change)


def _resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", description="A text.")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", description="A picture.", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PIXEL)

    @server.resource("test://template/{id}/data", description="By id.", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    @server.resource("test://watched-resource", description="One to follow.")
    def watched() -> str:
        return "Watched resource content"


def _prompts(server: MCPServer[Any]) -> None:
    @server.prompt("test_simple_prompt", description="Without arguments.")
    def simple() -> list[UserMessage]:
        return _simple()

    @server.prompt("test_prompt_with_arguments", description="With two arguments.")
    def with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
        return [_message(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")]

    @server.prompt("test_prompt_with_embedded_resource", description="With a resource.")
    def with_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803  # the suite's name
        content = _embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(content), _message("Please process the embedded resource above.")]

    @server.prompt("test_prompt_with_image", description="With a picture.")
    def with_image() -> list[UserMessage]:
        picture = ImageContent(type="image", data=PIXEL, mime_type="image/png")
        return [UserMessage(picture), _message("Please analyze the image above.")]


def _simple() -> list[UserMessage]:
    return [_message("This is a simple prompt for testing.")]


def _message(text: str) -> UserMessage:
    return UserMessage(TextContent(type="text", text=text))


def _embedded(uri: str, kind: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=kind, text=text))


async def _set_level(_ctx: Any, _params: SetLevelRequestParams) -> EmptyResult:
    return EmptyResult()
