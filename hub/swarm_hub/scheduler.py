"""Starts what is ready, watches what runs, and ends what must end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import select, update

from swarm_api.words import LIVE
from swarm_executors.protocol import Executor, ExecutorError, Handle, Launch, StartFailed
from swarm_hub.claims import Claimed, Place, claim_ready
from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices, Transaction
from swarm_hub.transitions import cancelled, failed, load_agent, settle, stale

log = logging.getLogger(__name__)
a = schema.agents.c

CANCEL_GRACE_MS = 8_000  # for a worker to keep the work after a cancel; within 15 s the state is final
EXIT_GRACE_MS = 20_000  # for a worker that has reported its end to clean up and leave
STOP_GRACE = 3.0  # seconds between SIGTERM and SIGKILL
SWEEP = 1.0  # seconds between two looks at what runs


class Scheduler:
    """One loop: it wakes when a commit made something ready or made room, and once a second to look at what runs.

    Whatever it does is safe to do twice: claims are transactions, starts are idempotent by agent id, stops are
    repeated until the executor has nothing left of the agent.
    """

    def __init__(self, store: Store, executor: Executor, launch: Callable[[Claimed], Launch], capacity: int) -> None:
        self.place = Place(executor.name, executor.region, capacity)
        self._store = store
        self._executor = executor
        self._launch = launch
        self._wake = asyncio.Event()
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._polled: dict[str, float] = {}
        self._watched_at = 0.0
        self._full = False
        store.listen(self._hear)

    async def run(self) -> None:
        """Until cancelled. Agents go on."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                while True:
                    await self._round()
        finally:
            self._jobs.clear()

    async def tick(self) -> list[Claimed]:
        """Claim what is ready and may start, and have it started."""
        claims, self._full = await self._store.write(lambda tx: claim_ready(tx, self.place))
        for claimed in claims:
            self.start(claimed)
        return claims

    def start(self, claimed: Claimed) -> None:
        """Have a claimed agent started; at most one start of it is under way."""
        self._job(claimed.agent_id, lambda: self._start(claimed))

    async def watch(self) -> None:
        """Look at every agent the executor may still have something of."""
        unreleased = await self._store.read(lambda c: c.execute(select(schema.agents).where(a.released == 0)).all())
        self._polled = {row.id: self._polled.get(row.id, 0.0) for row in unreleased}
        for row in unreleased:
            self._look(row)

    async def _round(self) -> None:
        self._wake.clear()
        try:
            await self.tick()
            await self._sweep()
        except Exception:
            log.exception("a round of the scheduler failed; it goes on")
        try:
            async with asyncio.timeout(SWEEP):
                await self._wake.wait()
        except TimeoutError:
            pass  # time for a look at what runs

    async def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._watched_at >= SWEEP:
            self._watched_at = now
            await self.watch()

    def _look(self, row: Any) -> None:
        """What one agent needs next: each need is a job, and there is one job of an agent at a time."""
        now = self._store.now_ms()
        if row.status not in LIVE:
            self._job(row.id, lambda: self._release(row))
        elif row.handle is None:
            self._job(row.id, lambda: self._start(Claimed(row.id, row.tier)))
        elif row.stop_ms is not None and now >= row.stop_ms + CANCEL_GRACE_MS:
            self._job(row.id, lambda: self._end(row.id, _cancel_late))
        elif now >= row.deadline_ms:
            self._job(row.id, lambda: self._end(row.id, _time_out))
        elif self._due(row.id):
            self._job(row.id, lambda: self._poll(row))

    def _due(self, agent_id: str) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._polled[agent_id] < self._executor.poll_every:
            return False
        self._polled[agent_id] = now
        return True

    async def _start(self, claimed: Claimed) -> None:
        try:
            handle = await self._executor.start(self._launch(claimed))
        except StartFailed as error:
            message = str(error)
            await self._store.write(lambda tx: _lose(tx, claimed.agent_id, "start_failed", message))
            return
        await self._store.write(lambda tx: _keep_handle(tx, claimed.agent_id, handle))

    async def _poll(self, row: Any) -> None:
        seen = await self._executor.poll(from_json(row.handle))
        if seen.state in ("exited", "lost"):
            detail = seen.detail or f"the worker {seen.state}"
            await self._store.write(lambda tx: _lose(tx, row.id, "worker_lost", detail))

    async def _end(self, agent_id: str, outcome: Callable[[Transaction, str], None]) -> None:
        """The state first, the machine later: from here on the agent's reports are refused."""
        await self._store.write(lambda tx: outcome(tx, agent_id))

    async def _release(self, row: Any) -> None:
        """See to it that nothing of an ended agent runs on."""
        if row.handle is not None:
            handle: Handle = from_json(row.handle)
            seen = await self._executor.poll(handle)
            graceful = row.status == "finished" and row.stop_ms is None
            if seen.state == "alive" and graceful and self._store.now_ms() < row.finished_ms + EXIT_GRACE_MS:
                return
            await self._executor.stop(handle, STOP_GRACE)
        await self._store.write(
            lambda tx: tx.execute(update(schema.agents).where(a.id == row.id).values(released=1)) and None
        )

    def _job(self, agent_id: str, work: Callable[[], Awaitable[None]]) -> None:
        if agent_id not in self._jobs:
            self._jobs[agent_id] = self._group.create_task(self._guarded(agent_id, work))

    async def _guarded(self, agent_id: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except ExecutorError as error:
            log.warning("%s: %s; it is tried again", agent_id, error)
        except Exception:
            log.exception("%s: looking after it failed; it is tried again", agent_id)
        finally:
            self._jobs.pop(agent_id, None)

    def _hear(self, notices: Notices) -> None:
        if notices.freed or (notices.ready and not self._full):
            self._wake.set()


def _keep_handle(tx: Transaction, agent_id: str, handle: Handle) -> None:
    tx.execute(update(schema.agents).where(a.id == agent_id).values(handle=to_json(handle).decode()))


def _lose(tx: Transaction, agent_id: str, code: str, message: str) -> None:
    pair = load_agent(tx, agent_id)
    if not stale(pair):
        settle(tx, pair, failed(code, message))


def _cancel_late(tx: Transaction, agent_id: str) -> None:
    pair = load_agent(tx, agent_id)
    if not stale(pair):
        settle(tx, pair, cancelled("it was cancelled; its worker did not answer in time"))


def _time_out(tx: Transaction, agent_id: str) -> None:
    pair = load_agent(tx, agent_id)
    if not stale(pair):
        settle(tx, pair, failed("timeout", "it passed its time limit and its worker did not end it", "timeout"))
