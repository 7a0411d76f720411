"""Fixtures of the official conformance suite that ask their client something. Names and texts are the suite's."""

import json
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel, Field, JsonValue

ENUM: JsonValue = ["active", "inactive", "pending"]

MAY: list[JsonValue] = ["read", "write", "execute"]
SIZES: list[JsonValue] = ["small", "medium", "large"]


class Response(BaseModel):
    response: str = Field(description="What the user says")


class Defaults(BaseModel):
    name: str = Field(default="John Doe", description="Name")
    age: int = Field(default=30, description="Age")
    score: float = Field(default=95.5, description="Score")
    status: str = Field(default="active", description="Status", json_schema_extra={"enum": ENUM})
    verified: bool = Field(default=True, description="Verified")


def _titled(*pairs: tuple[str, str]) -> JsonValue:
    return [{"const": name, "title": title} for name, title in pairs]


class Enums(BaseModel):
    untitledSingle: str = Field(description="One", json_schema_extra={"enum": ENUM})  # noqa: N815
    titledSingle: str = Field(  # noqa: N815
        description="One, with titles",
        json_schema_extra={"oneOf": _titled(("low", "Low"), ("medium", "Medium"), ("high", "High"))},
    )
    untitledMulti: list[str] = Field(  # noqa: N815
        description="Several", json_schema_extra={"items": {"type": "string", "enum": [*MAY]}}
    )
    titledMulti: list[str] = Field(  # noqa: N815
        description="Several, with titles",
        json_schema_extra={"items": {"anyOf": _titled(("feature", "Feature"), ("bug", "Bug"), ("docs", "Docs"))}},
    )
    legacyEnum: str = Field(  # noqa: N815
        description="One, with names",
        json_schema_extra={"enum": [*SIZES], "enumNames": [*SIZES]},
    )


def offer(server: MCPServer[Any]) -> None:
    for tool in (
        test_sampling, test_elicitation, test_elicitation_sep1034_defaults, test_elicitation_sep1330_enums,
        test_input_required_result_elicitation, test_input_required_result_sampling,
        test_input_required_result_list_roots, test_input_required_result_request_state,
        test_input_required_result_multiple_inputs, test_input_required_result_multi_round,
        test_input_required_result_tampered_state, test_input_required_result_capabilities,
    ):  # fmt: skip
        server.add_tool(tool)
    server.prompt("test_input_required_result_prompt", description="One that asks.")(test_input_required_result_prompt)


async def test_sampling(prompt: str, ctx: Context[Any]) -> str:
    """Ask the client's model."""
    answer = await ctx.session.create_message([_said(prompt)], max_tokens=100, related_request_id=ctx.request_id)
    return f"LLM response: {_text(answer)}"


async def test_elicitation(message: str, ctx: Context[Any]) -> str:
    """Ask the user."""
    return f"User response: {await _elicited(ctx, message, Response)}"


async def test_elicitation_sep1034_defaults(ctx: Context[Any]) -> str:
    """Ask the user, with defaults."""
    return f"Elicitation result: {await _elicited(ctx, 'Please provide user information', Defaults)}"


async def test_elicitation_sep1330_enums(ctx: Context[Any]) -> str:
    """Ask the user for choices."""
    return f"Elicitation completed: {await _elicited(ctx, 'Please choose', Enums)}"


async def test_input_required_result_elicitation(ctx: Context[Any]) -> str | InputRequiredResult:
    """Ask for a name."""
    if (answer := _answer(ctx, "user_name")) is None:
        return InputRequiredResult(input_requests={"user_name": ask("name")})
    return f"Hello, {given(answer, 'name')}!"


async def test_input_required_result_sampling(ctx: Context[Any]) -> str | InputRequiredResult:
    """Ask the client's model."""
    answer = _answer(ctx, "capital_question")
    if not isinstance(answer, CreateMessageResult):
        return InputRequiredResult(input_requests={"capital_question": _sample("What is the capital of France?")})
    return f"Model said: {_text(answer)}"


async def test_input_required_result_list_roots(ctx: Context[Any]) -> str | InputRequiredResult:
    """Ask for the client's roots."""
    answer = _answer(ctx, "client_roots")
    if not isinstance(answer, ListRootsResult):
        return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})
    return f"Client exposed {len(answer.roots)} root(s)."


async def test_input_required_result_request_state(ctx: Context[Any]) -> str | InputRequiredResult:
    """A state that comes back."""
    if _answer(ctx, "confirm") is None or ctx.request_state != "a nonce":
        return InputRequiredResult(input_requests={"confirm": ask("ok", "boolean")}, request_state="a nonce")
    return "state-ok: confirmation received"


async def test_input_required_result_multiple_inputs(ctx: Context[Any]) -> str | InputRequiredResult:
    """Three questions at once."""
    wanted: dict[str, InputRequest] = {
        "user_name": ask("name"), "greeting": _sample("Generate a greeting"), "client_roots": ListRootsRequest(),
    }  # fmt: skip
    if wanted.keys() <= (ctx.input_responses or {}).keys():
        return "All inputs received."
    return InputRequiredResult(input_requests=wanted, request_state="three questions")


async def test_input_required_result_multi_round(ctx: Context[Any]) -> str | InputRequiredResult:
    """A second question after the first."""
    state = json.loads(ctx.request_state) if ctx.request_state else {}
    if (name := state.get("name")) is not None and (second := _answer(ctx, "step2")) is not None:
        return f"{name} likes {given(second, 'color')}."
    if state and (first := _answer(ctx, "step1")) is not None:
        kept = json.dumps({"name": given(first, "name")})
        return InputRequiredResult(input_requests={"step2": ask("color")}, request_state=kept)
    return InputRequiredResult(input_requests={"step1": ask("name")}, request_state=json.dumps({"round": 1}))


async def test_input_required_result_tampered_state(ctx: Context[Any]) -> str | InputRequiredResult:
    """A state that must come back as it was: the SDK sees to it."""
    if ctx.request_state is None:
        return InputRequiredResult(input_requests={"confirm": ask("ok", "boolean")}, request_state="round 1")
    return f"state-ok: {ctx.request_state}"


async def test_input_required_result_capabilities(ctx: Context[Any]) -> InputRequiredResult:
    """Only what the client can do."""
    can, wanted = ctx.client_capabilities, dict[str, InputRequest]()
    if can is None or can.sampling is not None:
        wanted["sample"] = _sample("Say hello")
    if can is None or can.elicitation is not None:
        wanted["ask"] = ask("name")
    return InputRequiredResult(input_requests=wanted, request_state="what it can")


async def test_input_required_result_prompt(ctx: Context[Any]) -> list[UserMessage] | InputRequiredResult:
    """A prompt that asks first."""
    if (answer := _answer(ctx, "user_context")) is None:
        return InputRequiredResult(input_requests={"user_context": ask("context")})
    return [UserMessage(TextContent(type="text", text=f"Use the following context: {given(answer, 'context')}"))]


def ask(field: str, kind: str = "string") -> ElicitRequest:
    """A question with one field."""
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=f"Your {field}?", requested_schema=schema))


def given(answer: Any, field: str) -> Any:
    """A field of the answer."""
    return answer.content.get(field) if isinstance(answer, ElicitResult) and answer.content else None


def _answer(ctx: Context[Any], key: str) -> Any:
    return (ctx.input_responses or {}).get(key)


async def _elicited(ctx: Context[Any], message: str, kind: type[BaseModel]) -> str:
    answer = await ctx.elicit(message, kind)
    content = answer.data.model_dump_json() if answer.action == "accept" else "{}"
    return f"action={answer.action}, content={content}"


def _sample(text: str) -> CreateMessageRequest:
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[_said(text)], max_tokens=100))


def _said(text: str) -> SamplingMessage:
    return SamplingMessage(role="user", content=TextContent(type="text", text=text))


def _text(answer: CreateMessageResult) -> str:
    return answer.content.text if isinstance(answer.content, TextContent) else ""
