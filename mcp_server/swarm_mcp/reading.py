"""The tools that only look."""

from typing import Annotated, Literal

from pydantic import Field

from swarm_api.base import dollars
from swarm_api.budget import Budget, Standing
from swarm_api.client import HubClient
from swarm_api.errors import Forbidden
from swarm_api.ids import short
from swarm_api.tasks import FileDiff
from swarm_api.words import TaskStatus
from swarm_mcp import telling
from swarm_mcp.steering import Id

Form = Literal["concise", "detailed"]
_AT_A_GLANCE = 10  # running tasks and the last ones


class Reading:
    def __init__(self, hub: HubClient) -> None:
        self._hub = hub

    async def tasks(
        self,
        task: Annotated[
            str | None, Field(description="One task, by id or a unique prefix; the rest is ignored.")
        ] = None,
        status: list[TaskStatus] | None = None,
        search: Annotated[str | None, Field(description="In prompt or name.")] = None,
        label: Annotated[str | None, Field(description="key=value")] = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
        cursor: str | None = None,
        form: Form = "concise",
    ) -> str:
        if task is not None:
            tell = telling.detailed if form == "detailed" else telling.concise
            return telling.cut(tell(await self._hub.task(task)), f'swarm_logs("{short(task)}")')
        page = await self._hub.tasks(status=status, q=search, label=label, limit=limit, cursor=cursor)
        tell = telling.detailed if form == "detailed" else telling.line
        told = [tell(one) for one in page.tasks] or ["no task is like that"]
        if page.next_cursor is not None:
            told.append(f'{page.total} in all; the next: swarm_tasks(cursor="{page.next_cursor}", …)')
        return telling.cut("\n".join(told), "ask with a smaller limit, or form=concise")

    async def diff(
        self,
        task: Id,
        path: Annotated[str | None, Field(description="Only files whose path begins so.")] = None,
        form: Annotated[Form, Field(description="concise: the files and how many lines.")] = "detailed",
    ) -> str:
        diff = await self._hub.diff_files(task)
        files = [file for file in diff.files if path is None or file.path.startswith(path)]
        if not files:
            return "no file was changed" if path is None else f"no changed file's path begins with {telling.head(path)}"
        stat = "\n".join(map(_stat, files))
        if form == "concise":
            return telling.cut(stat, 'ask with path="…"')
        patches = "\n".join(telling.clean(file.patch) for file in files if file.patch)
        return telling.cut(f"{stat}\n\n{patches}", 'ask with path="…" for one file, or form=concise')

    async def status(self) -> str:
        queue = await self._hub.queue()
        waiting = ", ".join(f"{count} for {reason}" for reason, count in sorted(queue.blocked.items()) if count)
        told = [
            f"agents: {queue.running} run, room for {queue.capacity}",
            f"queue: {queue.pending} wait, {queue.ready} could start" + (f"; blocked: {waiting}" if waiting else ""),
            await self._money(),
        ]
        page = await self._hub.tasks(status=["running"], limit=_AT_A_GLANCE)
        told += ["running:", *map(telling.line, page.tasks)] if page.tasks else []
        ended = await self._hub.tasks(status=["completed", "failed", "cancelled"], limit=5)
        told += ["ended last:", *map(telling.line, ended.tasks)] if ended.tasks else []
        return "\n".join(told)

    async def _money(self) -> str:
        try:
            return _budget(await self._hub.budget())
        except Forbidden:
            return "budget: not for this credential to see (metrics:read)"


def _budget(budget: Budget) -> str:
    return f"budget: {_standing('today', budget.daily)}; {_standing('this week', budget.weekly)} ({budget.state})"


def _standing(when: str, one: Standing) -> str:
    spent, left, limit = dollars(one.spent_micro_usd), dollars(one.remaining_cents * 10_000), one.limit_cents * 10_000
    return f"{when} {spent} spent and {left} left of {dollars(limit)}"


def _stat(file: FileDiff) -> str:
    name = telling.clean(file.path) if file.old_path is None else telling.clean(f"{file.old_path} → {file.path}")
    return f"{file.status}  {name}  " + ("binary" if file.binary else f"+{file.additions} −{file.deletions}")
