"""`swarm_run` as a task of MCP: the host goes on at once, and wakes its session when the swarm's task has ended."""

from collections.abc import Mapping
from typing import Any

from mcp import MCPError
from mcp.server.mcpserver.utilities.func_metadata import func_metadata
from mcp.types import INTERNAL_ERROR, CallToolRequestParams, CallToolResult, TextContent
from pydantic import ValidationError

from swarm_api.client import HubClient
from swarm_api.errors import Conflict, NotFound, SwarmError
from swarm_api.tasks import Task
from swarm_mcp import telling
from swarm_mcp.faults import told
from swarm_mcp.home import Home
from swarm_mcp.submitting import Submitting
from swarm_mcp.tasks_extension import Ctx, Status, TaskState

_STATUS: dict[str, Status] = {"completed": "completed", "failed": "completed", "cancelled": "cancelled"}


class RunAsTask:
    """A `TaskPlace`: the tasks are the hub's, so a restart of it loses none. Ids are good for their caller alone."""

    def __init__(self, hub: HubClient, home: Home, submitting: Submitting) -> None:
        self._hub = hub
        self._home = home
        self._submitting = submitting
        self._arguments = func_metadata(submitting.submit)

    async def start(self, params: CallToolRequestParams, ctx: Ctx) -> TaskState | CallToolResult | None:  # noqa: ARG002
        """None for other tools, and for arguments that the tool itself refuses better."""
        if params.name != "swarm_run":
            return None
        try:
            fields = self._arguments.validate_arguments(params.arguments or {})
        except ValidationError:
            return None
        try:
            return await self._state(await self._submitting.stored(**fields))
        except SwarmError as error:
            return _says(told(error), is_error=True)

    async def get(self, id_: str) -> TaskState | None:
        task = await self._known(id_)
        return None if task is None else await self._state(task)

    async def update(self, id_: str, responses: Mapping[str, Any]) -> bool:  # noqa: ARG002
        return await self._known(id_) is not None

    async def cancel(self, id_: str) -> bool:
        task = await self._known(id_)
        if task is None:
            return False
        try:
            await self._hub.cancel(task.id)
        except Conflict:  # it has ended meanwhile
            return True
        except SwarmError as error:
            raise MCPError(code=INTERNAL_ERROR, message=told(error)) from error
        return True

    async def _known(self, id_: str) -> Task | None:
        task_id = self._home.unseal(id_)
        if task_id is None:
            return None
        try:
            return await self._hub.task(task_id)
        except NotFound:
            return None
        except SwarmError as error:
            raise MCPError(code=INTERNAL_ERROR, message=told(error)) from error

    async def _state(self, task: Task) -> TaskState:
        status = _STATUS.get(task.status, "working")
        ended = _says(telling.concise(task), is_error=task.status == "failed") if status == "completed" else None
        return TaskState(
            self._home.seal(task.id), status, task.created_at, task.finished_at or task.started_at or task.created_at,
            message=await self._doing(task), result=ended,
        )  # fmt: skip

    async def _doing(self, task: Task) -> str:
        """What its agent is at, if that can be known: a task that is stored is handed out whatever else fails."""
        if task.status != "running" or task.assigned_agent is None:
            return telling.line(task)
        try:
            progress = (await self._hub.agent(task.assigned_agent)).progress
        except SwarmError:
            return telling.line(task)
        tool = f", last {telling.head(progress.last_tool)}" if progress.last_tool else ""
        return f"{telling.line(task)}  {progress.turns} turns{tool}"


def _says(text: str, *, is_error: bool) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)
