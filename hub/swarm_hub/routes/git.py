"""The hub as a git remote: smart HTTP for workers of other machines, and for those who bring code or take results."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, select
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from swarm_api.base import Model
from swarm_api.errors import Conflict, Forbidden, MalformedRequest, NotFound
from swarm_api.ids import TASK_ID
from swarm_hub.http import Call
from swarm_hub.mirrors.backend import Backend, Served
from swarm_hub.mirrors.mirrors import base_ref, make_upload
from swarm_hub.mirrors.pushes import is_plain, read_commands, refuse_others
from swarm_hub.orders import branch, repository, upload_at
from swarm_hub.store import schema

_UPLOAD = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
KEPT = 20  # branches with what a task's earlier attempts left aside
t, a = schema.tasks.c, schema.agents.c


class RefsQuery(Model):
    service: Literal["git-upload-pack", "git-receive-pack"] | None = None


async def refs(call: Call) -> Response:
    """What there is to fetch, or where a push could go; the first push makes a repository."""
    service = call.query(RefsQuery).service
    if service is None:
        raise MalformedRequest("`service` is missing: this is for git's smart protocol alone")
    served = await _served(call, pushes=service == "git-receive-pack")
    return Backend(served, "info/refs", _nothing(), call.hub.mirrors.room)


async def upload_pack(call: Call) -> Response:
    return Backend(await _served(call, pushes=False), "git-upload-pack", _body(call), call.hub.mirrors.room)


async def receive_pack(call: Call) -> Response:
    """What a push asks for is judged before git hears of it."""
    if "content-encoding" in call.request.headers:
        raise MalformedRequest("a push is taken as it is, and not compressed once more")
    served = await _served(call, pushes=True)
    body = _body(call)
    begun, commands = bytearray(), None
    while commands is None:
        try:
            begun += await anext(body)
        except StopAsyncIteration:
            raise MalformedRequest("the push ended before its commands did") from None
        commands = read_commands(bytes(begun))
    branches = served.shown and [ref for ref in served.shown if ref.startswith("refs/heads/")]
    if branches:
        refuse_others(commands, branches.__contains__, branches[0])
    else:
        refuse_others(commands, is_plain, "branches and tags, but for refs/heads/swarm/")
    return Backend(served, "git-receive-pack", _after(bytes(begun), body), call.hub.mirrors.room)


async def _served(call: Call, *, pushes: bool) -> Served:
    """The repository as this caller may see it. Raises `Forbidden`, `NotFound` and `Conflict` `stale_agent`."""
    name = call.path("name")
    if TASK_ID.fullmatch(name):
        return await _of_task(call, name, pushes)
    if not call.caller.scopes:
        raise NotFound("an agent finds the repository of its own task alone")
    if pushes:
        _take(call, "tasks:write")
    if not _UPLOAD.fullmatch(name):
        raise NotFound(f"there is no repository {name!r}; allowed: small letters, digits and hyphens, up to 63")
    path = upload_at(call.hub.settings.data_dir, name)
    if pushes:
        await make_upload(path)
    return _there(Served(path, pushes=pushes), name)


async def _of_task(call: Call, task_id: str, pushes: bool) -> Served:
    agent_id = None if call.caller.scopes else call.caller.id
    task, agent = await call.hub.store.read(lambda c: _find(c, task_id, agent_id))
    if agent_id is None:
        if pushes:
            raise Forbidden("only its own agent pushes to a task", code="forbidden_repository")
    elif agent is None or agent.task_id != task_id:
        raise NotFound("an agent finds the repository of its own task alone")
    elif task.agent_id != agent_id or task.status == "completed":
        # The last one of a task that failed or was cancelled may still save what it did.
        raise Conflict(f"agent {agent_id} is not the current one of its task", code="stale_agent")
    if task is None:
        raise NotFound(f"there is no task {task_id}")
    return _there(Served(_where(call, task), _shown(task), pushes), task_id)


def _find(connection: Connection, task_id: str, agent_id: str | None) -> tuple[Any, Any]:
    task = connection.execute(select(schema.tasks).where(t.id == task_id)).first()
    agent = connection.execute(select(schema.agents).where(a.id == agent_id)).first() if agent_id else None
    return task, agent


def _where(call: Call, task: Any) -> Path:
    """Where the task's branch is: an agent of this machine has it in the repository itself."""
    here = (task.agent_id or "local-").startswith("local-")
    return repository(task, call.hub.settings.data_dir) if here else call.hub.mirrors.path(task)


def _shown(task: Any) -> list[str]:
    own = f"refs/heads/{branch(task)}"
    return [own, *(f"{own}-kept-{n}" for n in range(1, KEPT + 1)), base_ref(task.id)]


def _there(served: Served, name: str) -> Served:
    if not served.path.is_dir():
        raise NotFound(f"the hub has no repository of {name}")
    return served


def _take(call: Call, scope: str) -> None:
    if not call.caller.may(scope):
        raise Forbidden(f"this takes the scope {scope}", code="forbidden_scope", scope=scope)


async def _body(call: Call) -> AsyncIterator[bytes]:
    try:
        async for chunk in call.request.stream():
            if chunk:
                yield chunk
    except ClientDisconnect:
        return


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield


async def _after(begun: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begun
    async for chunk in rest:
        yield chunk
