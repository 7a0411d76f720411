"""The tools that hand out work."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from swarm_api.client import HubClient
from swarm_api.ids import short
from swarm_api.tasks import Task
from swarm_api.words import TaskType
from swarm_mcp import telling
from swarm_mcp.endings import Waiting, wait
from swarm_mcp.home import Home

Prompt = Annotated[str, Field(description="All the agent must know: it sees nothing of this conversation.")]
Repo = Annotated[
    str | None,
    Field(description='Path, git URL or owner/name; "": a scratch one. Default: where `swarm mcp` runs, else scratch.'),
]
Options = Annotated[
    dict[str, Any] | None,
    Field(description="More fields of the API: priority, baseRef, dependsOn, context, budgetCents, timeoutMinutes, "
          "maxTurns, name, labels, tier, hold, push."),
]  # fmt: skip


class Submitting:
    def __init__(self, hub: HubClient, home: Home) -> None:
        self._hub = hub
        self._home = home

    async def submit(
        self,
        prompt: Prompt,
        repo: Repo = None,
        type: TaskType = "code",  # noqa: A002  # the API's own word
        model: str = "sonnet",
        options: Options = None,
    ) -> str:
        task = await self.stored(prompt=prompt, repo=repo, type=type, model=model, options=options)
        return f"Submitted {short(task.id)}.\n{telling.concise(task)}"

    async def run(
        self,
        ctx: Context[Any],
        prompt: Prompt,
        repo: Repo = None,
        type: TaskType = "code",  # noqa: A002  # the API's own word
        model: str = "sonnet",
        options: Options = None,
    ) -> str:
        task = await self.stored(prompt=prompt, repo=repo, type=type, model=model, options=options)
        await wait(self._hub, Waiting([task.id], "all", None), self._home.stopping, ctx.report_progress)
        ended = await self._hub.task(task.id)
        if ended.status == "failed":
            raise ToolError(telling.concise(ended))
        return telling.concise(ended)

    async def stored(self, *, options: dict[str, Any] | None = None, **fields: Any) -> Task:
        """A new task. Raises `InvalidInput`, `NotSupported`."""
        given = {name: value for name, value in {**(options or {}), **fields}.items() if value is not None}
        repo = self._home.locate(given.pop("repo", None))
        return await self._hub.submit(given if repo is None else {**given, "repo": repo})
