"""The hub as Python sees it: every path of the API as a method, every answer a model, every refusal an exception."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from swarm_api.agents import Agent, AgentList, Executed, Health, Provider, Queue
from swarm_api.analytics import (
    PATIENCE,
    ROWS_FORMATS,
    Metrics,
    MetricsPeriod,
    Params,
    QueryFile,
    QueryIn,
    QueryOut,
    RowsFormat,
    SchemaOut,
)
from swarm_api.auth import AuditList, KeyIn, KeyList, KeyMade, RevokeIn, TokenIn, TokenOut
from swarm_api.base import Model
from swarm_api.budget import Budget, BudgetIn
from swarm_api.errors import SwarmError
from swarm_api.events import Event, EventList, LogLine, LogPage
from swarm_api.invalid import invalid
from swarm_api.sender import Sender, query
from swarm_api.source import Source, source_of
from swarm_api.streams import OnTrouble, follow
from swarm_api.tasks import Diff, RetryIn, Task, TaskBatch, TaskIn, TaskList
from swarm_api.words import FINISHED, EventType, TaskStatus, TaskType

Sent = TypeVar("Sent", bound=Model)

_ENDINGS: tuple[EventType, ...] = ("task_completed", "task_failed", "task_cancelled")


def _quiet(_trouble: SwarmError | None) -> None:
    pass


class HubClient:
    """A hub's API. Use it with `async with`.

    Every method raises the subclass of `SwarmError` that the hub's answer names, and `HubUnreachable` when none came.
    A request whose connection broke is sent again a few times: what creates or starts something carries an
    idempotency key, so that it happens once. One whose credential was refused is sent again with a new one, where the
    source has one. A task's id may be given short, as a unique prefix, in every method.
    """

    def __init__(
        self,
        base_url: str,
        token: str | Source | None = None,
        *,
        insecure: bool = False,
        on_trouble: OnTrouble = _quiet,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`token`: a credential, or where one comes from: `swarm_api.access.access` finds what this machine has.

        `insecure`: it may travel over plain http to another machine, which else raises `InsecureAddress`.
        `on_trouble` is called with the error when a stream lost its connection, and with None when it is back.
        """
        self._on_trouble = on_trouble
        self._sender = Sender(base_url, source_of(token), insecure=insecure, transport=transport)

    async def __aenter__(self) -> Self:
        await self._sender.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sender.__aexit__(kind, error, trace)

    # Tasks

    async def submit(self, task: TaskIn | Mapping[str, Any]) -> Task:
        """Hand out one task: a model, or the API's own JSON. Raises `InvalidInput`, `NotSupported`."""
        return await self._sender.post("/api/tasks", Task, _body(task))

    async def submit_batch(self, tasks: Iterable[TaskIn | Mapping[str, Any]]) -> list[Task]:
        """Hand out up to 1,000 tasks, all or none; they may name each other in `dependsOn`."""
        body = b'{"tasks":[' + b",".join(_body(task) for task in tasks) + b"]}"
        return (await self._sender.post("/api/tasks", TaskBatch, body)).tasks

    async def task(self, task_id: str) -> Task:
        return await self._sender.get(_task(task_id), Task)

    async def tasks(
        self,
        *,
        status: TaskStatus | Sequence[TaskStatus] | None = None,
        type: TaskType | None = None,  # noqa: A002  # the API's own word
        label: str | None = None,
        q: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        page: int | None = None,
    ) -> TaskList:
        """One page of tasks, newest first. `label` is `key=value`; `q` is looked for in prompt and name."""
        return await self._sender.get(
            "/api/tasks", TaskList, status=status, type=type, label=label, q=q, since=since, until=until,
            limit=limit, cursor=cursor, page=page,
        )  # fmt: skip

    async def all_tasks(self, **filters: Any) -> AsyncIterator[Task]:
        """Every task that passes the filters of `tasks`, newest first, over all pages."""
        page = await self.tasks(**{"limit": 200, **filters})
        while True:
            for task in page.tasks:
                yield task
            if page.next_cursor is None:
                return
            page = await self.tasks(**{"limit": 200, **filters, "cursor": page.next_cursor})

    async def cancel(self, task_id: str) -> Task:
        """Stop a task. Its state is final within 15 s. Raises `Conflict` (`task_finished`) when it has ended."""
        return await self._sender.post(f"{_task(task_id)}/cancel", Task)

    async def retry(self, task_id: str, *, fresh: bool = False, budget_cents: int | None = None) -> Task:
        """Try a failed or cancelled task again, from where it stopped or (`fresh`) from its base.

        `budget_cents`: its budget from now on, what it has spent included. Raises `Conflict`, `InvalidInput`.
        """
        wish = _valid(RetryIn, fresh=fresh, budget_cents=budget_cents)
        return await self._sender.post(f"{_task(task_id)}/retry", Task, wish.to_json())

    async def wait(self, task_id: str) -> Task:
        """The task once it has ended, however often it is retried in between."""
        task = await self.task(task_id)
        async with aclosing(self.events(after=task.seq, types=_ENDINGS, task_id=task.id)) as endings:
            while task.status not in FINISHED:
                await anext(endings)
                task = await self.task(task.id)
        return task

    # What tasks leave

    async def logs(self, task_id: str, *, after: int = 0, limit: int | None = None) -> LogPage:
        """A page of the log lines after the seq `after`; go on with its `next_after` until it has no lines."""
        return await self._sender.get(f"{_task(task_id)}/logs", LogPage, after=after, limit=limit)

    def follow_logs(self, task_id: str, *, after: int = 0) -> AsyncGenerator[LogLine, None]:
        """Every log line after `after`, those to come included, until the task has ended. Resumes by itself."""
        return follow(self._sender.http, f"{_task(task_id)}/logs", LogLine, after, {}, self._on_trouble)

    async def diff(self, task_id: str) -> str:
        """What the task changed, as a unified diff. Bytes that are not UTF-8 are kept as surrogate escapes."""
        response = await self._sender.send("GET", f"{_task(task_id)}/diff", headers={"Accept": "text/x-diff"})
        return response.content.decode("utf-8", "surrogateescape")

    async def diff_files(self, task_id: str) -> Diff:
        """What the task changed, for each file."""
        return await self._sender.get(f"{_task(task_id)}/diff", Diff)

    # Agents and the hub

    async def execute(self, task_id: str) -> Agent:
        """Start a task now, one on hold too. Raises `Conflict` with `blockedBy` in its data when it cannot start."""
        return await self._sender.post(f"/api/execute/{quote(task_id, safe='')}", Agent)

    async def execute_all(self) -> Executed:
        """Start all that may start, what is on hold too."""
        return await self._sender.post("/api/execute/batch", Executed)

    async def agents(self, *, active: bool | None = None) -> AgentList:
        return await self._sender.get("/api/agents", AgentList, active=active)

    async def agent(self, agent_id: str) -> Agent:
        return await self._sender.get(f"/api/agents/{quote(agent_id, safe='')}", Agent)

    async def queue(self) -> Queue:
        return await self._sender.get("/api/queue", Queue)

    async def budget(self) -> Budget:
        """What was spent today and this week, what is set aside, and what is left."""
        return await self._sender.get("/api/budget", Budget)

    async def set_budget(self, limits: BudgetIn) -> Budget:
        """New limits, from now on. Takes `admin`."""
        return await self._sender.put("/api/budget", Budget, limits.to_json())

    async def metrics(self, period: MetricsPeriod = "day") -> Metrics:
        """A day, a week from Monday or a month in figures: the one that is now, beside the one before."""
        return await self._sender.get("/api/metrics", Metrics, period=period)

    async def query(self, sql: str, params: Params = None, *, limit: int | None = None) -> QueryOut:
        """The rows of one SELECT over the tables of `schema`. Raises `InvalidInput`."""
        return QueryOut.model_validate_json((await self._rows("application/json", sql, params, limit)).content)

    async def query_as(self, kind: RowsFormat, sql: str, params: Params = None, *, limit: int | None = None) -> bytes:
        """The same as CSV, as an Arrow stream or as a Parquet file. Raises `InvalidInput`."""
        return (await self._rows(ROWS_FORMATS[kind], sql, params, limit)).content

    async def query_file(
        self, kind: RowsFormat, sql: str, params: Params = None, *, limit: int | None = None
    ) -> QueryFile:
        """What `query_as` gives, with what a file has no place for. Raises `InvalidInput`."""
        answer = await self._rows(ROWS_FORMATS[kind], sql, params, limit)
        rows, truncated, seq = (answer.headers[name] for name in ("x-rows", "x-truncated", "x-seq"))
        return QueryFile(answer.content, int(rows), truncated == "true", int(seq))

    async def schema(self) -> SchemaOut:
        """What can be asked: tables and columns, each with a sentence."""
        return await self._sender.get("/api/schema", SchemaOut)

    async def rebuild_analytics(self) -> None:
        """Make the tables of `schema` again. Takes `admin`."""
        await self._sender.act("POST", "/api/analytics/rebuild")

    async def _rows(self, kind: str, sql: str, params: Params, limit: int | None) -> httpx.Response:
        given = {"sql": sql, "params": params, "limit": limit}
        question = _valid(QueryIn, **{name: value for name, value in given.items() if value is not None})
        headers = {"Accept": kind, "Content-Type": "application/json"}
        body = question.to_json()
        return await self._sender.send("POST", "/api/query", headers=headers, content=body, timeout=PATIENCE)

    async def provider(self) -> Provider:
        return await self._sender.get("/api/provider", Provider)

    async def health(self) -> Health:
        """How the hub is; also when it says that it cannot take work (503)."""
        return await self._sender.get("/health", Health, accept=503)

    # The journal

    async def events(
        self, *, after: int | None = None, types: Iterable[EventType] = (), task_id: str | None = None
    ) -> AsyncGenerator[Event, None]:
        """Every event after the seq `after` (none: from now on), for ever. Resumes by itself, without gap or repeat.

        `task_id` is a whole one. Raises `Gone` when the hub no longer keeps what came after `after`.
        """
        if after is None:
            # A stream without a seq could not be resumed before its first event.
            after = (await self.queue()).seq
        params = query({"types": ",".join(types) or None, "taskId": task_id})
        async with aclosing(follow(self._sender.http, "/api/events", Event, after, params, self._on_trouble)) as stream:
            async for event in stream:
                yield event

    async def event_history(
        self,
        *,
        before: int | None = None,
        limit: int | None = None,
        types: Iterable[EventType] = (),
        task_id: str | None = None,
    ) -> EventList:
        """A page of past events, newest first; go on with its `next_before`."""
        return await self._sender.get(
            "/api/events", EventList, before=before, limit=limit, types=",".join(types) or None, taskId=task_id
        )

    # Keys and tokens

    async def token(self, api_key: str, device: str | None = None) -> TokenOut:
        """A token for an API key. The client needs no credential for it. Raises `InvalidInput` for the device."""
        self._sender.keep_private()
        wish = _valid(TokenIn, api_key=api_key, device=device)
        return await self._sender.post("/api/auth/token", TokenOut, wish.to_json())

    async def refresh(self) -> TokenOut:
        """A token like the one the client shows, with more time. That one stays good until its end."""
        return await self._sender.post("/api/auth/refresh", TokenOut)

    async def revoke(self, device: str | None = None) -> None:
        """End the token that the client shows, or all that its key has on a device. Raises `InvalidInput`."""
        await self._sender.act("POST", "/api/auth/revoke", _valid(RevokeIn, device=device).to_json())

    async def make_key(self, wish: KeyIn) -> KeyMade:
        """A new API key, shown this once. Raises `Forbidden` for scopes that the client's own credential lacks.

        Where the answer was lost the key may have been made: then `Conflict`.
        """
        return await self._sender.post("/api/auth/api-keys", KeyMade, wish.to_json())

    async def keys(self) -> KeyList:
        return await self._sender.get("/api/auth/api-keys", KeyList)

    async def revoke_key(self, key_id: str) -> None:
        """End an API key (`key_…`), the tokens made from it and the keys that end with it, at once."""
        await self._sender.act("DELETE", f"/api/auth/api-keys/{quote(key_id, safe='')}")

    async def audit(self, *, before: int | None = None, limit: int | None = None) -> AuditList:
        """A page of who did what, newest first; go on with its `next_before`. Takes `admin`."""
        return await self._sender.get("/api/audit", AuditList, before=before, limit=limit)


def _task(task_id: str) -> str:
    return f"/api/tasks/{quote(task_id, safe='')}"


def _valid(kind: type[Sent], **fields: Any) -> Sent:
    try:
        return kind(**fields)
    except ValidationError as error:
        raise invalid(error) from None  # its own text repeats what was given


def _body(task: TaskIn | Mapping[str, Any]) -> bytes:
    if isinstance(task, TaskIn):
        return task.model_dump_json(by_alias=True, exclude_unset=True).encode()
    return json.dumps(task).encode()
