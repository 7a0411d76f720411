"""A worker's life once it has its order: it works, it tells how it went, and it ends."""

import asyncio
import os
import shutil
import signal
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from swarm_api.redaction import Redactor
from swarm_api.wire import Wire
from swarm_api.worker import Control, ResultReport, WorkOrder, from_wire
from swarm_worker.attempt import Attempt, NotKept, Work, beside, carry_out, failed, stopped
from swarm_worker.checkout import CheckoutFailed
from swarm_worker.git import GitFailed
from swarm_worker.halt import FENCED, STOPPED, Halt, Halted, cancelled, timed_out
from swarm_worker.handover import bring_home, deliver, drop_branch, tidy
from swarm_worker.launch import Launch
from swarm_worker.link import Fenced, Link
from swarm_worker.opening import open_checkout
from swarm_worker.outbox import Outbox
from swarm_worker.runtimes.choice import create
from swarm_worker.spool import Spool

DONE, TURNED_AWAY, UNHEARD = 0, 4, 5
"""Exit codes: the result is with the hub, the hub wants none, the hub was away when the worker had to end."""
LAST_TRY = 5.0
"""Seconds for which a worker that was told to end still tries to reach its hub."""


class Life:
    """Of one worker. `run` is all there is to it; `terminate` may come at any time."""

    def __init__(self, launch: Launch, wire: Wire, claimed: dict[str, Any], redactor: Redactor) -> None:
        self._order = order = from_wire(WorkOrder, claimed)
        self._workspace = _workspace(order)
        self._folder = self._workspace / "agents" / order.agent_id
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._opened = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        """The folder itself: at the end its name may lead somewhere else."""
        self._halt = Halt()
        self._terminated = asyncio.Event()
        self._messages: asyncio.Queue[Control] = asyncio.Queue()
        self._outbox = Outbox(Spool(self._folder / "spool"), redactor)
        self._link = Link(launch, wire, self._outbox, self._act)

    def terminate(self) -> None:
        self._halt.because(STOPPED)
        self._terminated.set()

    async def run(self) -> int:
        """The exit code."""
        loop, limit = asyncio.get_running_loop(), self._order.limits.timeout_seconds
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.terminate)
        timer = loop.call_later(limit, self._halt.because, timed_out(limit))
        try:
            async with self._link:
                return await self._work_and_tell()
        finally:
            timer.cancel()
            for name in ("tmp", "desk"):
                shutil.rmtree(name, ignore_errors=True, dir_fd=self._opened)

    async def _work_and_tell(self) -> int:
        result, work = await self._work()
        self._link.hang_up()
        if self._link.fenced.is_set():
            return TURNED_AWAY
        self._outbox.put(replace(result, duration_ms=self._outbox.elapsed_ms))
        code = await self._tell()
        if code == DONE and work and result.patch is not None and not self._outbox.refused_result:
            await drop_branch(work)
        return code

    async def _work(self) -> tuple[ResultReport, Work | None]:
        nothing = ResultReport(status="failure")
        try:
            runtime = create(self._order.runtime)
            attempt = Attempt(self._order, self._workspace, runtime, self._messages, self._outbox, self._halt)
            async with beside(self._stop_when_fenced()):
                return await self._attempt(attempt)
        except Halted as halted:
            return stopped(nothing, halted.reason), None
        except CheckoutFailed as failure:
            return failed(nothing, failure.code, str(failure)), None
        except GitFailed as failure:
            return failed(nothing, "checkout_failed", f"the repository could not be used to the end: {failure}"), None
        except NotKept as failure:
            return failure.result, None
        except Exception as error:
            traceback.print_exc()
            return failed(nothing, "worker_failed", f"{type(error).__name__}: {error}"), None

    async def _attempt(self, attempt: Attempt) -> tuple[ResultReport, Work]:
        opened = await self._halt.unless(open_checkout(self._order, self._workspace, self._outbox.say, self._token))
        try:
            work = await carry_out(attempt, opened)
            if self._order.source.kind == "hub":
                work = replace(work, result=await bring_home(attempt, work, self._token, self._terminated))
            result = await deliver(attempt, work)
            await tidy(attempt, work, result)
            return result, work
        finally:
            opened.site.lock.close()

    def _token(self) -> str:
        return self._link.token

    async def _tell(self) -> int:
        """Until the hub has it, for as long as it takes; a worker that is told to end gives up some time."""
        told = asyncio.ensure_future(self._link.deliver())
        terminated = asyncio.ensure_future(self._terminated.wait())
        try:
            await asyncio.wait({told, terminated}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({told}, timeout=LAST_TRY)
            if not told.done():
                return UNHEARD
            told.result()
        except Fenced:
            return TURNED_AWAY
        finally:
            told.cancel()
            terminated.cancel()
        return DONE

    def _act(self, control: Control) -> None:
        if control.kind == "cancel":
            self._halt.because(cancelled(control.reason))
        elif control.kind == "message" and control.text:
            self._messages.put_nowait(control)

    async def _stop_when_fenced(self) -> None:
        await self._link.fenced.wait()
        self._halt.because(FENCED)


def _workspace(order: WorkOrder) -> Path:
    """Resolved, because git writes down where worktrees really are."""
    if order.workspace:
        return Path(order.workspace).resolve()
    from platformdirs import user_cache_path

    return user_cache_path("claude-swarm").resolve()
