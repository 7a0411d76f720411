"""The Tasks extension of MCP (SEP-2663): a call that answers at once with a task, whose end the host asks for later."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import require_client_extension
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp.types import HEADER_MISMATCH, INVALID_PARAMS, CallToolRequestParams, CallToolResult, RequestParams
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import Field

IDENTIFIER = "io.modelcontextprotocol/tasks"
POLL = 2_000  # milliseconds between two questions of a host

Ctx = ServerRequestContext[Any, Any]
Status = Literal["working", "input_required", "completed", "failed", "cancelled"]


@dataclass(frozen=True)
class TaskState:
    """A task as a host sees it. `result` goes with `completed`, `error` (of JSON-RPC) with `failed`."""

    id: str
    status: Status
    created: datetime
    updated: datetime
    message: str | None = None
    result: CallToolResult | None = None
    error: Mapping[str, Any] | None = None
    asks: Mapping[str, Any] = field(default_factory=dict)


class TaskPlace(Protocol):
    """Where tasks are kept. What is None or False is not of this place, and the next one is asked."""

    async def start(self, params: CallToolRequestParams, ctx: Ctx) -> TaskState | CallToolResult | None:
        """A task for this call, once it is stored; or what the call answers without one."""

    async def get(self, id_: str) -> TaskState | None: ...

    async def update(self, id_: str, responses: Mapping[str, Any]) -> bool:
        """Take the answers to what the task asks; those to anything else are passed over."""

    async def cancel(self, id_: str) -> bool:
        """Wish that it ends. A task that has ended stays as it is."""


class _OfTask(RequestParams):
    task_id: str = Field(alias="taskId")


class _Update(_OfTask):
    input_responses: dict[str, Any] = Field(alias="inputResponses")


class TasksExtension(Extension):
    """For hosts that declare it and speak 2026-07-28 or newer: for others each call is as it was."""

    identifier = IDENTIFIER

    def __init__(self, places: Sequence[TaskPlace]) -> None:
        self._places = places

    def methods(self) -> Sequence[MethodBinding]:
        def bound(
            method: str, params: type[_OfTask], handler: Callable[[Any], Awaitable[dict[str, Any]]]
        ) -> MethodBinding:
            return MethodBinding(method, params, _checked(handler), frozenset(MODERN_PROTOCOL_VERSIONS))

        return (
            bound("tasks/get", _OfTask, self._get),
            bound("tasks/update", _Update, self._update),
            bound("tasks/cancel", _OfTask, self._cancel),
        )

    async def intercept_tool_call(self, params: CallToolRequestParams, ctx: Ctx, call_next: CallNext) -> HandlerResult:
        if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and declared(ctx):
            for place in self._places:
                answer = await place.start(params, ctx)
                if answer is not None:
                    return {"resultType": "task", **_seen(answer)} if isinstance(answer, TaskState) else answer
        return await call_next(ctx)

    async def _get(self, params: _OfTask) -> dict[str, Any]:
        for place in self._places:
            if (state := await place.get(params.task_id)) is not None:
                return _seen(state) | _outcome(state)
        raise unknown(params.task_id)

    async def _update(self, params: _Update) -> dict[str, Any]:
        for place in self._places:
            if await place.update(params.task_id, params.input_responses):
                return {}
        raise unknown(params.task_id)

    async def _cancel(self, params: _OfTask) -> dict[str, Any]:
        for place in self._places:
            if await place.cancel(params.task_id):
                return {}
        raise unknown(params.task_id)


def declared(ctx: Ctx) -> bool:
    """Whether this host can deal with a task."""
    can = ctx.session.client_capabilities
    return can is not None and IDENTIFIER in (can.extensions or {})


def unknown(id_: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=f"taskId: no task {id_[:80]!r} of this caller's")


def _checked(handler: Callable[[Any], Awaitable[dict[str, Any]]]) -> Callable[[Ctx, Any], Awaitable[dict[str, Any]]]:
    async def check(ctx: Ctx, params: _OfTask) -> dict[str, Any]:
        require_client_extension(ctx, IDENTIFIER)
        if ctx.request is not None and decode_header_value(ctx.request.headers.get(MCP_NAME_HEADER)) != params.task_id:
            raise MCPError(code=HEADER_MISMATCH, message="Mcp-Name: it must be the taskId of the body")
        return await handler(params)

    return check


def _seen(state: TaskState) -> dict[str, Any]:
    told = {} if state.message is None else {"statusMessage": state.message}
    return {
        "taskId": state.id, "status": state.status, **told,
        "createdAt": state.created.isoformat(), "lastUpdatedAt": state.updated.isoformat(),
        "ttlMs": None, "pollIntervalMs": POLL,
    }  # fmt: skip


def _outcome(state: TaskState) -> dict[str, Any]:
    if state.status == "completed" and state.result is not None:
        return {"result": state.result.model_dump(by_alias=True, mode="json", exclude_none=True)}
    if state.status == "failed":
        return {"error": state.error}
    return {"inputRequests": state.asks} if state.status == "input_required" else {}
