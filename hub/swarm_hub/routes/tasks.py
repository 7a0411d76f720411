"""Tasks: submit, list, show, cancel, retry, diff."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from swarm_api.base import Answer
from swarm_api.errors import SwarmError
from swarm_api.tasks import Batch, Diff, RetryIn, Task, TaskBatch, TaskIn
from swarm_hub import retries, transitions
from swarm_hub.diffs import UNIFIED, parse_diff, unified_diff
from swarm_hub.disclosed import refuse_disclosed
from swarm_hub.find import TaskQuery, find_task, list_tasks
from swarm_hub.http import Call, NoBody, accepts, parse, reply
from swarm_hub.identity.callers import ADMIN
from swarm_hub.intake import Defaults, create, draft, refuse_unsupported
from swarm_hub.repeats import once
from swarm_hub.repos import check_repos
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction
from swarm_hub.traces.context import read_traceparent
from swarm_hub.views import task_view

EVERYWHERE = (Path("/"),)


async def submit(call: Call) -> Response:
    data = await call.fields()
    batch = isinstance(data, dict) and "tasks" in data
    specs = parse(Batch, data).tasks if batch else [parse(TaskIn, data)]
    prefix = "tasks." if batch else ""
    refuse_disclosed(data, call.hub.redactor)
    settings = call.hub.settings
    for i, spec in enumerate(specs):
        where = f"{prefix}{i}." if batch else ""
        refuse_unsupported(spec, where)
        call.hub.pull_requests.refuse(spec, where)
    roots = EVERYWHERE if call.caller.may(ADMIN) else settings.repo_roots
    refusal = await _refusal(specs, roots, prefix)
    drafts = draft(specs, prefix)
    defaults = Defaults(settings.default_timeout_minutes, settings.default_task_budget_cents, _traceparent(call))

    def work(tx: Transaction) -> tuple[int, Answer]:
        if refusal is not None:
            raise refusal  # only here: the same request may have been answered while the repository was there
        rows = create(tx, drafts, defaults, prefix)
        more = f"and {len(rows) - 1:,} more" if len(rows) > 1 else None
        call.record(tx, "task.create", target=rows[0]["id"], detail=more)
        outlook = call.hub.outlooks.at(tx, tx.now_ms)
        tasks = [task_view(SimpleNamespace(**row), outlook) for row in rows]
        return 201, TaskBatch(tasks=tasks) if batch else tasks[0]

    return await once(call, data, work)


def _traceparent(call: Call) -> str | None:
    """Of the caller's own trace, where traces are told and he has one."""
    given = call.request.headers.get("traceparent", "")
    return given if call.hub.settings.otlp_endpoint and read_traceparent(given) else None


async def _refusal(specs: Sequence[TaskIn], roots: Sequence[Path], prefix: str) -> SwarmError | None:
    try:
        await check_repos(specs, roots, prefix)
    except SwarmError as error:
        return error
    return None


async def show_list(call: Call) -> Response:
    query = call.query(TaskQuery)
    now = call.hub.store.now_ms()
    return reply(await call.hub.store.read(lambda c: list_tasks(c, query, call.hub.outlooks.at(c, now))))


async def show(call: Call) -> Response:
    wanted, now = call.path("id"), call.hub.store.now_ms()
    return reply(
        await call.hub.store.read(lambda c: task_view(find_task(c, wanted), call.hub.outlooks.at(c, now)))
    )  # fmt: skip


async def cancel(call: Call) -> Response:
    parse(NoBody, await call.fields())
    task = await _found(call)

    def work(tx: Transaction) -> tuple[bool, Task]:
        accepted = transitions.cancel(tx, task.id)
        call.record(tx, "task.cancel", target=task.id)
        return accepted, _view(tx, call, task.id)

    accepted, view = await call.hub.store.write(work)
    return reply(view, 202 if accepted else 200)


async def retry(call: Call) -> Response:
    data = await call.fields()
    wish = parse(RetryIn, data)
    task = await _found(call)

    def work(tx: Transaction) -> tuple[int, Answer]:
        retries.retry(tx, task.id, wish.fresh, wish.budget_cents)
        call.record(tx, "task.retry", target=task.id)
        return 202, _view(tx, call, task.id)

    return await once(call, data, work)


async def diff(call: Call) -> Response:
    task = await _found(call)
    base, commit, text = await unified_diff(task, await _patch(call, task.id), call.hub.settings.data_dir)
    if accepts(call.request, UNIFIED, "application/json") == UNIFIED:
        return Response(text, media_type=f"{UNIFIED}; charset=utf-8")
    files = await asyncio.to_thread(parse_diff, text.decode(errors="replace"))  # seconds, for a large one
    total = Diff(
        base_commit=base,
        commit=commit,
        files=files,
        additions=sum(file.additions for file in files),
        deletions=sum(file.deletions for file in files),
    )
    return reply(total)


def _view(tx: Transaction, call: Call, task_id: str) -> Task:
    return task_view(transitions.load_task(tx, task_id), call.hub.outlooks.at(tx, tx.now_ms))


async def _found(call: Call) -> Any:
    wanted = call.path("id")
    return await call.hub.store.read(lambda c: find_task(c, wanted))


async def _patch(call: Call, task_id: str) -> bytes | None:
    query = select(schema.patches.c.patch).where(schema.patches.c.task_id == task_id)
    patch: bytes | None = await call.hub.store.read(lambda c: c.execute(query).scalar())
    return patch
