"""What hosts can attach and follow: a task, its log, its changes, and the tables that SQL may ask."""

from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import Completion, CompletionArgument, CompletionContext, PromptReference, ResourceTemplateReference

from swarm_api.client import HubClient
from swarm_api.errors import NotFound, SwarmError
from swarm_api.ids import short
from swarm_mcp import asking, telling
from swarm_mcp.faults import told
from swarm_mcp.logs import Logs

TASK = "swarm://tasks/{id}"
LINES = 500  # of a log's end
SUGGESTIONS = 50


def offer(server: MCPServer[Any], hub: HubClient) -> None:
    """Add the resources, and the completion of the ids in their addresses."""
    logs = Logs(hub)

    @server.resource(TASK, name="task", title="A task", mime_type="text/plain", description="A task, whole.")
    async def task(id: str) -> str:  # noqa: A002  # the address's own word
        return await _read(lambda: _task(hub, id))

    @server.resource(f"{TASK}/logs", name="log", title="Log of a task", mime_type="text/plain",
                     description=f"The last {LINES} lines of what a task's agents said and did.")  # fmt: skip
    async def log(id: str) -> str:  # noqa: A002
        return await _read(lambda: logs.logs(id, tail=LINES))

    @server.resource(f"{TASK}/diff", name="diff", title="Changes of a task", mime_type="text/x-diff",
                     description="What a task changed, as a patch.")  # fmt: skip
    async def diff(id: str) -> str:  # noqa: A002
        return await _read(lambda: hub.diff(id))

    @server.resource("swarm://schema", name="schema", title="Tables", mime_type="text/plain",
                     description="The tables and columns that swarm_query can ask.")  # fmt: skip
    async def schema() -> str:
        return await _read(lambda: _schema(hub))

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # the SDK says no types
    async def complete(
        ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, _: CompletionContext | None
    ) -> Completion | None:
        if not (isinstance(ref, ResourceTemplateReference) and ref.uri.startswith(TASK) and argument.name == "id"):
            return None
        return await _ids(hub, argument.value)


async def _read(content: Callable[[], Awaitable[str]]) -> str:
    """Raises what the SDK shows: of other exceptions a host sees no word."""
    try:
        return await content()
    except NotFound as error:
        raise ResourceNotFoundError(told(error)) from error
    except SwarmError as error:
        raise ResourceError(told(error)) from error


async def _task(hub: HubClient, id_: str) -> str:
    return telling.detailed(await hub.task(id_))


async def _schema(hub: HubClient) -> str:
    return asking.schema(await hub.schema())


async def _ids(hub: HubClient, begun: str) -> Completion:
    """Ids of the newest tasks that begin so. Whoever may not see them is offered none."""
    try:
        tasks = (await hub.tasks(limit=200)).tasks
    except SwarmError:
        return Completion(values=[])
    fitting = [task.id for task in tasks if task.id.startswith(begun) or short(task.id).startswith(begun)]
    return Completion(values=fitting[:SUGGESTIONS], has_more=len(fitting) > SUGGESTIONS)
