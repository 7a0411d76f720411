"""What the hub does with an agent's branch before its task has completed: bring it home, push it, ask for its merge."""

import asyncio
import logging
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, delete, select

from swarm_api.tasks import ErrorOut, Result
from swarm_hub.git import GitFailed
from swarm_hub.orders import source
from swarm_hub.pull_requests import PullRequestFailed, PullRequests
from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices, Transaction
from swarm_hub.transitions import Pair, change_agent, load_agent, settle, stale

log = logging.getLogger(__name__)
d = schema.deliveries.c
LONGEST_MS = 35 * 60_000  # that a delivery may take, whatever the agent's own limit is
AGAIN = 15.0  # seconds until one is tried again that failed for no reason of its own
AT_ONCE = 4


def stage(tx: Transaction, pair: Pair, result: Result) -> None:
    """The worker has ended its work; the task goes on until the hub has delivered it."""
    tx.add(schema.deliveries, {
        "agent_id": pair.agent.id, "task_id": pair.task.id, "result": result.to_json().decode(), "at_ms": tx.now_ms,
    })  # fmt: skip
    change_agent(tx, pair.agent.id, deadline_ms=tx.now_ms + LONGEST_MS)
    tx.notices.deliveries = True


def is_staged(tx: Transaction, agent_id: str) -> bool:
    return tx.execute(select(d.agent_id).where(d.agent_id == agent_id)).first() is not None


class Deliveries:
    """Each is safe to do twice: a hub that dies in the middle of one begins it anew."""

    def __init__(self, store: Store, pull_requests: PullRequests) -> None:
        self._store = store
        self._mirrors = pull_requests.mirrors
        self._pull_requests = pull_requests
        self._wake = asyncio.Event()
        self._wake.set()
        store.listen(self._hear)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            room = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for row in await self._store.read(_staged):
                    group.create_task(self._guarded(row, room))

    async def _guarded(self, row: Any, room: asyncio.Semaphore) -> None:
        async with room:
            try:
                await self._deliver(row)
            except Exception:
                log.exception("%s: delivering failed; it is tried again", row.agent_id)
                asyncio.get_running_loop().call_later(AGAIN, self._wake.set)

    async def _deliver(self, row: Any) -> None:
        pair = await self._store.read(lambda c: _pair(c, row.agent_id))
        result = Result.model_validate(from_json(row.result))
        if not stale(pair):
            result = await self._delivered(pair, result)
        await self._store.write(lambda tx: _settle(tx, row.agent_id, result))

    async def _delivered(self, pair: Pair, result: Result) -> Result:
        task, agent = pair
        spec = from_json(task.spec)
        try:
            if agent.provider != "local" and result.commit:
                await self._mirrors.bring_home(task, result.commit)
            if result.status == "success" and result.commit and spec["deliver"] == "pull_request":
                url = await self._pull_requests.deliver(task, result)
                return result.model_copy(update={"pull_request_url": url})
            if result.status == "success" and result.commit and spec["push"] and source(spec).kind == "url":
                await self._mirrors.push_on(task, result.commit)
        except GitFailed as failure:
            return _failed(result, "push_failed", f"the branch is kept at the hub and could not be pushed: {failure}")
        except PullRequestFailed as failure:
            return _failed(result, failure.code, str(failure))
        return result

    def _hear(self, notices: Notices) -> None:
        if notices.deliveries:
            self._wake.set()


def _failed(result: Result, code: str, message: str) -> Result:
    """An end that was none already stays what it was."""
    if result.status != "success":
        return result
    return result.model_copy(update={"status": "failure", "error": ErrorOut(code=code, message=message)})


def _staged(connection: Connection) -> list[Any]:
    return list(connection.execute(select(schema.deliveries).order_by(d.at_ms)).all())


def _pair(connection: Connection, agent_id: str) -> Pair:
    agent = connection.execute(select(schema.agents).where(schema.agents.c.id == agent_id)).one()
    task = connection.execute(select(schema.tasks).where(schema.tasks.c.id == agent.task_id)).one()
    return Pair(task, agent)


def _settle(tx: Transaction, agent_id: str, result: Result) -> None:
    tx.execute(delete(schema.deliveries).where(d.agent_id == agent_id))
    pair = load_agent(tx, agent_id)
    if not stale(pair):
        settle(tx, pair, result)
