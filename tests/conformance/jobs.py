"""Tools of the official conformance suite that are tasks: a `TaskPlace` in memory, beside the hub's own."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from mcp import MCPError
from mcp.server.mcpserver import Context, MCPServer, require_client_extension
from mcp.types import (
    INTERNAL_ERROR,
    CallToolRequestParams,
    CallToolResult,
    ElicitResult,
    InputRequiredResult,
    TextContent,
)
from swarm_mcp.tasks_extension import IDENTIFIER, Ctx, TaskState

from conformance.asking import ask, given

WORK = 1.0  # seconds that a job takes

Job = Callable[["_Run"], Awaitable[CallToolResult]]


@dataclass
class _Run:
    """One task: what it was given, what it asks, and what it was answered."""

    state: TaskState
    arguments: Mapping[str, Any]
    answers: dict[str, Any] = field(default_factory=dict)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, **questions: Any) -> Mapping[str, Any]:
        """Wait for all answers; what is not answered yet stays open."""
        while left := {key: value for key, value in questions.items() if key not in self.answers}:
            asks = {key: value.model_dump(by_alias=True, mode="json", exclude_none=True) for key, value in left.items()}
            self.now("input_required", asks=asks)
            self.answered.clear()
            await self.answered.wait()
        self.now("working", asks={})
        return {key: ElicitResult.model_validate(self.answers[key]) for key in questions}

    def now(self, status: Any, **more: Any) -> None:
        self.state = replace(self.state, status=status, updated=datetime.now(UTC), **more)


class Jobs:
    """A `TaskPlace`."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        self._work: dict[str, asyncio.Task[None]] = {}
        self._number = itertools.count(1)

    async def start(self, params: CallToolRequestParams, ctx: Ctx) -> TaskState | CallToolResult | None:
        job = JOBS.get(params.name)
        if job is None or (params.name == "test_tool_with_task" and not params.input_responses):
            return None
        now, id_ = datetime.now(UTC), f"job-{next(self._number)}"
        run = self._runs[id_] = _Run(TaskState(id_, "working", now, now), params.arguments or {})
        run.answers.update(params.input_responses or {})
        self._work[id_] = asyncio.create_task(_do(job, run))
        return run.state

    async def get(self, id_: str) -> TaskState | None:
        return self._runs[id_].state if id_ in self._runs else None

    async def update(self, id_: str, responses: Mapping[str, Any]) -> bool:
        if (run := self._runs.get(id_)) is None:
            return False
        for key in responses.keys() & run.state.asks.keys():
            run.answers[key] = responses[key]
            run.state = replace(run.state, asks={k: v for k, v in run.state.asks.items() if k != key})
        run.answered.set()
        return True

    async def cancel(self, id_: str) -> bool:
        if id_ not in self._runs:
            return False
        self._work[id_].cancel()
        await asyncio.wait({self._work[id_]})
        return True


def offer(server: MCPServer[Any]) -> None:
    """The same tools for clients without tasks."""
    for tool in (slow_compute, failing_job, protocol_error_job, confirm_delete, multi_input, test_tool_with_task):
        server.add_tool(tool)


async def slow_compute(seconds: float = WORK, label: str = "") -> str:
    """A task that takes as long as it is told."""
    await asyncio.sleep(seconds)
    return f"computed {label}"


async def failing_job(ctx: Context[Any]) -> str:
    """A task that fails, and must be one."""
    require_client_extension(ctx.request_context, IDENTIFIER)
    raise RuntimeError("a task, or nothing")


async def protocol_error_job() -> str:
    """A task that ends with an error of the protocol."""
    raise MCPError(code=INTERNAL_ERROR, message="it broke")


async def confirm_delete(filename: str = "") -> str:
    """A task that asks first."""
    return f"kept {filename}: nobody was asked"


async def multi_input() -> str:
    """A task with two questions."""
    return "nobody was asked"


async def test_tool_with_task(ctx: Context[Any]) -> str | InputRequiredResult:
    """A tool that asks, and then is a task."""
    return InputRequiredResult(input_requests={"user_name": ask("name")}, request_state="asked")


async def _slow(run: _Run) -> CallToolResult:
    await asyncio.sleep(float(run.arguments.get("seconds", WORK)))
    return _says(f"computed {run.arguments.get('label', '')}")


async def _fails(_: _Run) -> CallToolResult:
    await asyncio.sleep(WORK)
    return _says("it failed", is_error=True)


async def _breaks(_: _Run) -> CallToolResult:
    raise MCPError(code=INTERNAL_ERROR, message="it broke")


async def _confirms(run: _Run) -> CallToolResult:
    answer = (await run.ask(confirm=ask("confirm", "boolean")))["confirm"]
    return _says(f"{'deleted' if given(answer, 'confirm') else 'kept'} {run.arguments.get('filename', '')}")


async def _asks_twice(run: _Run) -> CallToolResult:
    answers = await run.ask(first=ask("name"), second=ask("name"))
    return _says(f"both answered: {', '.join(answers)}")


async def _greets(run: _Run) -> CallToolResult:
    answer = run.answers["user_name"]
    name = given(answer if isinstance(answer, ElicitResult) else ElicitResult.model_validate(answer), "name")
    return _says(f"Hello, {name}!")


JOBS: Mapping[str, Job] = {
    "slow_compute": _slow, "failing_job": _fails, "protocol_error_job": _breaks, "confirm_delete": _confirms,
    "multi_input": _asks_twice, "test_tool_with_task": _greets,
}  # fmt: skip


async def _do(job: Job, run: _Run) -> None:
    try:
        run.now("completed", result=await job(run))
    except asyncio.CancelledError:
        run.now("cancelled", asks={})
        raise
    except MCPError as error:
        run.now("failed", error={"code": error.code, "message": error.message})


def _says(text: str, *, is_error: bool = False) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)
