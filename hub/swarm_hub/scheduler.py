"""Starts what is ready, watches what runs, and ends what must end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic_core import from_json

from swarm_api.words import LIVE
from swarm_executors.protocol import ExecutorError, Launch, NoCapacity, Shut, StartFailed
from swarm_hub import endings
from swarm_hub.about import AGENT_ID
from swarm_hub.claims import Claimed, Place, claim_ready
from swarm_hub.executors import Executors
from swarm_hub.prices import Prices
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices, Transaction
from swarm_hub.strays import Strays
from swarm_hub.trying_again import TryingAgain

log = logging.getLogger(__name__)

EXIT_GRACE_MS = 20_000  # for a worker that has reported its end to clean up and leave
STOP_GRACE = 3.0  # seconds between SIGTERM and SIGKILL
SWEEP = 1.0  # seconds between two looks at what runs
SELDOM = 10  # times so long it waits to look at what is ready where nothing was heard: a long line takes a second
JUMP_MS = 5_000  # by which the clock must differ to have jumped
PATIENCE = 60.0  # seconds that looking after one agent may take, before it is begun again


class Scheduler:
    """One loop: it wakes when a commit made something ready or made room, and once a second to look at what runs.

    Whatever it does is safe to do twice: claims are transactions, starts are idempotent by agent id, stops are
    repeated until the executor has nothing left of the agent.
    """

    def __init__(
        self, store: Store, executors: Executors, launch: Callable[[Claimed], Launch], place: Place, prices: Prices,
        hub_id: str,
    ) -> None:  # fmt: skip
        self.place = place
        self.draining = False
        """The hub is about to stop: nothing new is started, and what runs is looked after."""
        self._prices = prices
        self._store = store
        self._executors = executors
        self._launch = launch
        self._again = TryingAgain()
        self._strays = Strays(store, executors, hub_id)
        self._wake = asyncio.Event()
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._polled: dict[str, float] = {}
        self._watched_at = 0.0
        self._since_ms = store.now_ms()
        self._ahead_ms = self._ahead()
        self._full = False
        self._heard = True  # that something may start which could not before
        self._claimed_at = 0.0
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
        self._full = False  # until the answer is here, what else is committed may be ready and find room
        claims, self._full = await self._store.write(lambda tx: claim_ready(tx, self.place))
        for claimed in claims:
            self.start(claimed)
        return claims

    def start(self, claimed: Claimed) -> None:
        """Have a claimed agent started; at most one start of it is under way."""
        self._job(claimed.agent_id, lambda: self._start(claimed))

    async def watch(self) -> None:
        """Look at every agent the executor may still have something of."""
        await self._put_off()
        agents = await self._store.read(endings.unreleased)
        if overdue := [row.id for row in agents if endings.overdue(row, self._store.now_ms(), self._since_ms)]:
            await self._store.write(lambda tx: self._end(tx, overdue))
            agents = await self._store.read(endings.unreleased)
        self._polled = {row.id: self._polled.get(row.id, 0.0) for row in agents}
        self._again.forget_all_but(self._polled)
        for row in agents:
            self._look(row)

    async def _round(self) -> None:
        self._wake.clear()
        try:
            await self._claim()
            await self._sweep()
        except Exception:
            log.exception("a round of the scheduler failed; it goes on")
        try:
            async with asyncio.timeout(SWEEP):
                await self._wake.wait()
        except TimeoutError:
            pass  # time for a look at what runs

    async def _claim(self) -> None:
        """The end of a day or of a usage limit is found by looking; all else is heard."""
        if self.draining:
            return
        now = asyncio.get_running_loop().time()
        if self._heard or now - self._claimed_at >= SELDOM * SWEEP:
            self._heard = False
            try:
                await self.tick()
            except BaseException:
                self._heard = True
                raise
            self._claimed_at = now

    async def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._watched_at >= SWEEP:
            self._watched_at = now
            await self.watch()
            self._strays.look(self._group)

    async def _put_off(self) -> None:
        """A machine that slept, or whose clock was set, has taken nothing from anybody's time."""
        jump = self._ahead() - self._ahead_ms
        if abs(jump) < JUMP_MS:
            return
        self._ahead_ms += jump
        self._since_ms += jump
        await self._store.write(lambda tx: endings.put_off(tx, jump))

    def _ahead(self) -> int:
        """How far the clock is ahead of the loop's time, which stands still while the machine sleeps."""
        return self._store.now_ms() - round(asyncio.get_running_loop().time() * 1000)

    def _end(self, tx: Transaction, overdue: list[str]) -> None:
        """The state first, the executor later: one that hangs holds up no end."""
        for agent_id in overdue:
            endings.end_overdue(tx, agent_id, self._since_ms)

    def _look(self, row: Any) -> None:
        """What one agent needs next: each need is a job, and there is one job of an agent at a time."""
        if row.status not in LIVE:
            self._job(row.id, lambda: self._release(row))
        elif row.handle is None:
            self._job(row.id, lambda: self._start(Claimed(row.id, row.tier, row.provider)))
        elif self._due(row):
            self._job(row.id, lambda: self._poll(row))

    def _due(self, row: Any) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._polled[row.id] < self._executors[row.provider].poll_every:
            return False
        self._polled[row.id] = now
        return True

    async def _start(self, claimed: Claimed) -> None:
        try:
            handle = await self._executors[claimed.provider].start(self._launch(claimed))
        except StartFailed as error:
            message = str(error)
            await self._store.write(lambda tx: endings.never_started(tx, claimed.agent_id, message, self._prices))
            return
        except (NoCapacity, Shut) as error:
            await self._wait_for_room(claimed, error)
            return
        await self._store.write(lambda tx: endings.keep_handle(tx, claimed.agent_id, handle))

    async def _wait_for_room(self, claimed: Claimed, error: ExecutorError) -> None:
        delay_ms = round(self._again.later(claimed.agent_id, error) * 1000)
        message = str(error)
        await self._store.write(lambda tx: endings.no_room(tx, claimed.agent_id, message, delay_ms))

    async def _poll(self, row: Any) -> None:
        seen = await self._executors[row.provider].poll(from_json(row.handle))
        if seen.state in ("exited", "lost"):
            code = "out_of_memory" if seen.cause == "out_of_memory" else "worker_lost"
            detail = seen.detail or f"the worker {seen.state}"
            await self._store.write(lambda tx: endings.lose(tx, row.id, code, detail))
            await self._clear(row)

    async def _release(self, row: Any) -> None:
        """See to it that nothing of an ended agent runs on. One that has reported its end is left some time."""
        if row.handle is not None and row.status == "finished" and row.stop_ms is None:
            seen = await self._executors[row.provider].poll(from_json(row.handle))
            if seen.state == "alive" and self._store.now_ms() < row.finished_ms + EXIT_GRACE_MS:
                return
        await self._clear(row)

    async def _clear(self, row: Any) -> None:
        if row.handle is not None:
            await self._executors[row.provider].stop(from_json(row.handle), STOP_GRACE)
        await self._store.write(lambda tx: endings.release(tx, row.id, row.handle, self._prices))

    def _job(self, agent_id: str, work: Callable[[], Awaitable[None]]) -> None:
        if agent_id not in self._jobs and self._again.may(agent_id):
            self._jobs[agent_id] = self._group.create_task(self._guarded(agent_id, work))

    async def _guarded(self, agent_id: str, work: Callable[[], Awaitable[None]]) -> None:
        AGENT_ID.set(agent_id)
        try:
            async with asyncio.timeout(PATIENCE):
                await work()
            self._again.worked(agent_id)
        except TimeoutError:
            log.warning("%s: looking after it took longer than %g s; it is tried again", agent_id, PATIENCE)
        except ExecutorError as error:
            delay = self._again.later(agent_id, error)
            log.warning("%s: %s; it is tried again in %.0f s", agent_id, error, delay)
        except Exception:
            log.exception("%s: looking after it failed; it is tried again", agent_id)
        finally:
            self._jobs.pop(agent_id, None)

    def _hear(self, notices: Notices) -> None:
        self._heard |= notices.freed or notices.ready
        if notices.freed or (notices.ready and not self._full):
            self._wake.set()
