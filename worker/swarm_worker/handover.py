"""What is done with kept work: delivered as ordered, and its worktree cleared away when nothing is lost by it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from swarm_api.worker import ResultReport
from swarm_worker.attempt import Attempt, Work, failed, stopped
from swarm_worker.backoff import delays
from swarm_worker.delivery import DeliveryFailed, make_patch, push
from swarm_worker.git import GitFailed
from swarm_worker.halt import FENCED, Halted
from swarm_worker.hub_remote import is_passing, push_to_hub
from swarm_worker.worktrees import leave, remove


async def bring_home(attempt: Attempt, work: Work, token: Callable[[], str], terminated: asyncio.Event) -> ResultReport:
    """Push the branch to the hub, however the work has ended: this machine may be gone in a moment.

    Returns when the hub has it, or will not take it, or the worker was told to end and has tried once more.
    """
    checkout, source = work.opened.checkout, attempt.order.source
    for delay in delays():
        last = terminated.is_set() or attempt.halt.reason is FENCED
        try:
            await push_to_hub(checkout, source, work.saved.commit, token)
        except GitFailed as failure:
            if last or not is_passing(failure):
                return _not_taken(attempt, work.result, failure)
        else:
            return work.result
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await terminated.wait()
    raise AssertionError("the delays never end")


def _not_taken(attempt: Attempt, result: ResultReport, failure: GitFailed) -> ResultReport:
    """What was no success already stays what it was: a time-out, say."""
    message = f"the hub did not take {attempt.order.branch}: {failure}"
    attempt.outbox.say(message)
    return failed(result, "delivery_failed", message) if result.status == "success" else result


async def deliver(attempt: Attempt, work: Work) -> ResultReport:
    """The result, with a patch or after a push if the order asks for one."""
    if work.result.status != "success":
        return work.result
    try:
        return await _deliver(attempt, work)
    except DeliveryFailed as failure:
        return failed(work.result, failure.code, str(failure))
    except (GitFailed, OSError) as failure:
        return failed(work.result, "delivery_failed", f"the work is on the branch, but no patch was made: {failure}")
    except Halted as halted:
        return stopped(work.result, halted.reason)


async def _deliver(attempt: Attempt, work: Work) -> ResultReport:
    order, checkout = attempt.order, work.opened.checkout
    if order.deliver == "patch":
        return replace(work.result, patch=await make_patch(checkout, work.saved.commit, work.place.tmp.parent))
    if order.push and order.source.kind != "hub":
        await attempt.halt.unless(push(checkout, order.source, work.saved.commit))
        attempt.outbox.say(f"pushed {order.branch}")
    return work.result


async def tidy(attempt: Attempt, work: Work, result: ResultReport) -> None:
    """Remove the worktree when everything in it is on the branch; else say why it stays, and free the branch."""
    checkout, site = work.opened
    if checkout.stand_in:
        checkout.stand_in.discard()  # all of it is home, or the work would not have been kept
    if not checkout.linked:
        return
    reasons = [*work.saved.obstacles, *([work.saved.problem] if work.saved.problem else [])]
    try:
        if not reasons:
            await remove(checkout, site)
            if result.status == "success":
                site.lock.remove()
            return
        await leave(checkout)
    except (GitFailed, OSError) as failure:
        reasons.append(str(failure))
    attempt.outbox.say(f"the worktree {checkout.path} stays: {'; '.join(reasons)}")


async def drop_branch(work: Work) -> None:
    """Of work that the hub has as a patch, unless something of it could not be committed."""
    checkout = work.opened.checkout
    if checkout.linked and not work.saved.obstacles and not work.saved.problem:
        await checkout.repo.inside.run("update-ref", "-d", checkout.ref, work.saved.commit)
