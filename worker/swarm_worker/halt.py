"""Why a worker must stop before its work is done. The first reason counts."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from swarm_api.words import ResultStatus

T = TypeVar("T")


@dataclass(frozen=True)
class Reason:
    """What the result will say.

    `patience`: seconds in which the runtime may go on, for it ends by itself. `grace`: seconds it has to end once it
    is interrupted.
    """

    status: ResultStatus
    code: str
    message: str
    grace: float = 3.0
    patience: float = 0.0


STOPPED = Reason("cancelled", "worker_stopped", "the worker was told to end; its work is on the branch")
BUDGET = Reason("budget", "budget_exceeded", "its budget is spent; its work is on the branch", patience=3.0)
"""The gateway answers no more: what was asked before may come to its end, and the next request ends the turn."""
USAGE_LIMIT = Reason("cancelled", "usage_limit", "the model's usage limit is reached; its work is on the branch")
LIMIT = Reason("cancelled", "limit_reached", "a budget that it shares with others is spent; its work is on the branch")
FENCED = Reason("cancelled", "stale_agent", "the hub has given this task to somebody else", grace=0.0)


_BY_NAME = {"budget": BUDGET, "usage_limit": USAGE_LIMIT, "limit": LIMIT}


def cancelled(why: str | None) -> Reason:
    """For the reason that the hub's control names."""
    if reason := _BY_NAME.get(why or ""):
        return reason
    return Reason("cancelled", "cancelled", f"cancelled: {why}" if why and why != "cancelled" else "it was cancelled")


def timed_out(seconds: float) -> Reason:
    return Reason("timeout", "timeout", f"not done within {_time(seconds)}; its work is on the branch")


def out_of_memory(used_mb: float, limit_mb: int) -> Reason:
    message = f"its processes used {used_mb:,.0f} MB; the tier allows {limit_mb:,} MB"
    return Reason("failure", "out_of_memory", message, grace=0.0)


def _time(seconds: float) -> str:
    return f"{seconds:g} seconds" if seconds < 120 else f"{seconds / 60:g} minutes"


class Halted(Exception):
    """What was under way had to stop."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.reason = reason


class Halt:
    """Set once, heard by whatever runs."""

    def __init__(self) -> None:
        self._set = asyncio.Event()
        self.reason: Reason | None = None

    def because(self, reason: Reason) -> None:
        if self.reason is None:
            self.reason = reason
            self._set.set()

    async def wait(self) -> Reason:
        await self._set.wait()
        return self.reason  # type: ignore[return-value]  # set before the event

    async def unless(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns; when there is a reason to stop first, it is cancelled. Raises `Halted`."""
        task = asyncio.ensure_future(work)
        halted = asyncio.ensure_future(self.wait())
        try:
            await asyncio.wait({task, halted}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Halted(halted.result())
        finally:
            halted.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
