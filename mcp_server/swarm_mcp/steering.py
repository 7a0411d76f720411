"""The tools that wait for tasks, and stop them."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from swarm_api.client import HubClient
from swarm_api.words import FINISHED
from swarm_mcp import telling
from swarm_mcp.endings import Until, Waiting, wait
from swarm_mcp.home import Home

LONGEST = 3600  # seconds

Ids = Annotated[list[str], Field(min_length=1, max_length=50, description="Ids; a unique prefix will do.")]
Id = Annotated[str, Field(description="An id; a unique prefix will do.")]


class Steering:
    def __init__(self, hub: HubClient, home: Home) -> None:
        self._hub = hub
        self._home = home

    async def wait(
        self,
        ctx: Context[Any],
        tasks: Ids,
        until: Until = "all",
        timeout_seconds: Annotated[float, Field(ge=0, le=LONGEST)] = 600,
    ) -> str:
        what = Waiting(tasks, until, timeout_seconds)
        await wait(self._hub, what, self._home.stopping, ctx.report_progress)
        known = [await self._hub.task(id_) for id_ in tasks]
        left = [task for task in known if task.status not in FINISHED]
        told = [telling.concise(task) for task in known]
        if left and self._home.stopping.is_set():
            told.append("The hub is stopping; its agents go on. Call swarm_wait again when it is back.")
        elif left:
            told.append(f"{len(left)} not ended: call swarm_wait again, or do something else meanwhile.")
        return telling.cut("\n\n".join(told), "swarm_tasks(task=…) for one of them")

    async def cancel(self, task: Id) -> str:
        return telling.concise(await self._hub.cancel(task))
