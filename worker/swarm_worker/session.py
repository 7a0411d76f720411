"""One run of a runtime, from its start to its last report, however it comes to that."""

import asyncio
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from swarm_api.worker import Control, LogReport, ProgressReport, Report, ResultReport, WorkOrder
from swarm_worker.halt import Halt, Reason
from swarm_worker.outbox import Outbox
from swarm_worker.processes import end_all
from swarm_worker.runtimes import Place, Runtime, RuntimeCrashed

CLOSING = 2.0
"""Seconds a runtime has to end what it started, once it is closed. After that its processes are killed."""
AFTER_KILL = 1.0


class Session:
    def __init__(
        self, runtime: Runtime, order: WorkOrder, place: Place, outbox: Outbox, stir: Callable[[], None]
    ) -> None:
        self._runtime = runtime
        self._order = order
        self._place = place
        self._outbox = outbox
        self._stir = stir
        self._result: ResultReport | None = None
        self._turns = 0

    async def run(self, halt: Halt) -> ResultReport:
        """What came of it. When there is a reason to halt, the runtime is asked to stop, then made to."""
        work = asyncio.create_task(self._consume(), name="runtime")
        halted = asyncio.create_task(halt.wait())
        try:
            await asyncio.wait({work, halted}, return_when=asyncio.FIRST_COMPLETED)
            if halt.reason is None:
                return self._outcome(work)
            await self._stop(work, halt.reason)
            return self._halted(halt.reason)
        finally:
            halted.cancel()
            work.cancel()

    async def pass_on(self, messages: asyncio.Queue[Control]) -> None:
        """Give the runtime what it is told, in order. Runs until it is cancelled."""
        while True:
            message = await messages.get()
            try:
                await self._runtime.send(message.text or "")
                if message.interrupt:
                    await self._runtime.interrupt()
            except Exception as error:
                self._outbox.say(f"a message could not be passed on: {type(error).__name__}: {error}")

    async def _consume(self) -> None:
        reports = self._runtime.run(self._order, self._place)
        try:
            async for report in reports:
                self._take(report)
                await self._outbox.room()
        finally:
            if close := getattr(reports, "aclose", None):
                await close()

    def _take(self, report: Report) -> None:
        match report:
            case ResultReport():
                self._result = report
                return
            case LogReport(stream="tool"):
                self._stir()
            case ProgressReport(turns=int(turns)):
                self._turns = turns
        self._outbox.put(report)

    async def _stop(self, work: asyncio.Task[None], reason: Reason) -> None:
        if reason.patience:
            await asyncio.wait({work}, timeout=reason.patience)
        if reason.grace and not work.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(reason.grace):
                    await self._interrupt()
                    await asyncio.wait({work})
        if not work.done():
            work.cancel()
            await asyncio.wait({work}, timeout=CLOSING if reason.grace else 0)
        if not work.done():
            await end_all(self._order.agent_id, mercy=0)
            await asyncio.wait({work}, timeout=AFTER_KILL)

    async def _interrupt(self) -> None:
        try:
            await self._runtime.interrupt()
        except Exception:
            traceback.print_exc()  # it is closed a moment later, whatever it says

    def _outcome(self, work: asyncio.Task[None]) -> ResultReport:
        error = work.exception()
        if error is None and self._result is not None:
            return self._result
        if error is not None and not isinstance(error, RuntimeCrashed):
            traceback.print_exception(error)
        said = str(error) if isinstance(error, RuntimeCrashed) else f"{type(error).__name__}: {error}"
        message = said if error else "the runtime ended without a result"
        return ResultReport(status="failure", error_code="runtime_crashed", error_message=message, turns=self._turns)

    def _halted(self, reason: Reason) -> ResultReport:
        result = self._result or ResultReport(status=reason.status, turns=self._turns)
        return replace(result, status=reason.status, error_code=reason.code, error_message=reason.message)
