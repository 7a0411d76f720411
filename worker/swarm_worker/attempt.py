"""One attempt at a task: the runtime's run, its work kept on the branch, and the task's own command to verify it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from swarm_api.redaction import Redactor
from swarm_api.worker import Control, ResultReport, WorkOrder
from swarm_worker.changes import Changes, read_changes
from swarm_worker.checkout import Checkout
from swarm_worker.git import GitFailed
from swarm_worker.halt import Halt, Halted, Reason
from swarm_worker.keeping import Saved, save, some
from swarm_worker.opening import Opened
from swarm_worker.outbox import Outbox
from swarm_worker.place import make_place
from swarm_worker.processes import end_all
from swarm_worker.runtimes import Place, Runtime
from swarm_worker.sandbox_place import in_sandbox
from swarm_worker.session import Session
from swarm_worker.status import read_status
from swarm_worker.touched import Touched
from swarm_worker.verify import VerifyFailed, verify
from swarm_worker.watch import watch

TITLE = 72


@dataclass(frozen=True)
class Attempt:
    """What an attempt needs: its order, where files go, who thinks, what he is told meanwhile, who hears, who stops."""

    order: WorkOrder
    workspace: Path
    runtime: Runtime
    messages: asyncio.Queue[Control]
    outbox: Outbox
    halt: Halt


@dataclass(frozen=True)
class Work:
    """What is there when the runtime has ended. `result` is complete but for the delivery."""

    opened: Opened
    place: Place
    saved: Saved
    result: ResultReport


class NotKept(Exception):
    """git could not keep the work, which is still in the worktree. `result` says so."""

    def __init__(self, result: ResultReport) -> None:
        super().__init__(result.error_message)
        self.result = result


async def carry_out(attempt: Attempt, opened: Opened) -> Work:
    """Raises `NotKept`."""
    checkout = opened.checkout
    place = make_place(attempt.order, attempt.workspace, checkout.path, checkout.repo.config)
    _announce(attempt, checkout)
    async with in_sandbox(place, attempt.order, checkout) as place:
        return await _carry_out(attempt, opened, place)


async def _carry_out(attempt: Attempt, opened: Opened, place: Place) -> Work:
    checkout = opened.checkout
    touched = Touched(checkout, attempt.outbox)
    result = await _run(attempt, place, touched)
    try:
        saved = await save(checkout, _title(attempt.order, result, attempt.outbox.redactor))
        changes = await read_changes(checkout.git, checkout.base, saved.commit)
    except GitFailed as failure:
        raise NotKept(_not_kept(result, checkout, failure)) from failure
    touched.tell(changes.files)
    for note in saved.notes:
        attempt.outbox.say(note)
    result = _described(result, checkout, saved, changes)
    if attempt.order.verify and result.status == "success":
        result = await _verified(attempt, attempt.order.verify, place, result)
        await _say_what_verify_left(attempt, checkout)
    return Work(opened, place, saved, result)


def failed(result: ResultReport, code: str, message: str) -> ResultReport:
    return replace(result, status="failure", error_code=code, error_message=message)


def stopped(result: ResultReport, reason: Reason) -> ResultReport:
    return replace(result, status=reason.status, error_code=reason.code, error_message=reason.message)


@asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these until the block ends. What failed in them fails the block."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


def _announce(attempt: Attempt, checkout: Checkout) -> None:
    attempt.outbox.say(f"working in {checkout.path} on {checkout.branch}, from {checkout.base[:12]}")
    if muted := checkout.repo.config.muted:
        attempt.outbox.say(f"filters of the repository's own configuration are not applied: {some(muted)}")


async def _run(attempt: Attempt, place: Place, touched: Touched) -> ResultReport:
    session = Session(attempt.runtime, attempt.order, place, attempt.outbox, touched.stir)
    watching = watch(attempt.order.limits, attempt.outbox, attempt.halt)
    async with beside(watching, touched.follow(), session.pass_on(attempt.messages)):
        result = await session.run(attempt.halt)
    await _end_strays(attempt)
    return result


async def _end_strays(attempt: Attempt) -> None:
    if names := await end_all(attempt.order.agent_id):
        attempt.outbox.say(f"ended what was still running: {some(names)}")


async def _verified(attempt: Attempt, command: str, place: Place, result: ResultReport) -> ResultReport:
    try:
        async with beside(watch(attempt.order.limits, attempt.outbox, attempt.halt)):
            await attempt.halt.unless(verify(command, place, attempt.outbox))
    except VerifyFailed as failure:
        return failed(result, "verify_failed", str(failure))
    except Halted as halted:
        return stopped(result, halted.reason)
    finally:
        await _end_strays(attempt)
    return result


async def _say_what_verify_left(attempt: Attempt, checkout: Checkout) -> None:
    """The branch holds the work as the agent left it; a test's by-products are not work."""
    git, _ = await checkout.git.secured()
    left = await read_status(git)
    if left.dirty:
        attempt.outbox.say(f"verify left what is not part of the branch: {some(left.changed + left.untracked)}")


def _described(result: ResultReport, checkout: Checkout, saved: Saved, changes: Changes) -> ResultReport:
    described = replace(
        result,
        branch=checkout.branch,
        base_commit=checkout.base,
        commit=saved.commit,
        files_changed=changes.files,
        additions=changes.additions,
        deletions=changes.deletions,
    )
    if saved.problem and result.status == "success":
        return failed(described, "delivery_failed", saved.problem)
    return described


def _not_kept(result: ResultReport, checkout: Checkout, failure: GitFailed) -> ResultReport:
    why = f"git could not commit the work, which stays in {checkout.path}: {failure}"
    if result.status == "success":
        return failed(result, "delivery_failed", why)
    return replace(result, error_message=f"{result.error_message}; {why}")


def _title(order: WorkOrder, result: ResultReport, redactor: Redactor) -> str:
    line = order.name or next((line.strip() for line in order.prompt.splitlines() if line.strip()), order.task_id)
    line = redactor.text(line)  # a commit goes wherever the branch goes
    title = line if len(line) <= TITLE else line[: TITLE - 1] + "…"
    return title if result.status == "success" else f"wip: {title}"
