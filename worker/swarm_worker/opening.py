"""Making the place of an order's work: its lock, its repository, its worktree."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from swarm_api.sandbox import SandboxUnavailable
from swarm_api.worker import WorkOrder
from swarm_worker.checkout import Checkout, CheckoutFailed
from swarm_worker.hub_remote import open_at_hub
from swarm_worker.locks import Busy, Lock
from swarm_worker.sources import local_base, open_clone, open_local, open_scratch, open_url
from swarm_worker.worktrees import Say, Site, enter

PATIENCE = 15.0
"""Seconds that an attempt before this one gets to leave: a cancelled worker is given up by its hub after ten."""


class Opened(NamedTuple):
    """The site's lock is to be closed by whoever opened the checkout."""

    checkout: Checkout
    site: Site


async def open_checkout(
    order: WorkOrder, workspace: Path, say: Say, token: Callable[[], str], patience: float = PATIENCE
) -> Opened:
    """What the order's agent works in. `token` opens repositories at the hub. Raises `CheckoutFailed`."""
    name = order.branch.rpartition("/")[2]
    path = workspace / ("scratch" if order.source.kind == "scratch" else "worktrees") / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        lock = await Lock.take(path.with_name(f"{name}.lock"), patience)
    except Busy as busy:
        message = f"another attempt at this task still works in {path} after {patience:g} seconds"
        raise CheckoutFailed("worktree_busy", message) from busy
    try:
        box = workspace / "sandboxes" / name
        site = Site(path, order.branch, lock, order.resume is not None, say, box, order.sandbox is not None)
        return Opened(await _open(order, workspace, site, token), site)
    except SandboxUnavailable as reason:
        lock.close()
        raise CheckoutFailed("sandbox_unavailable", f"there is no sandbox to work in: {reason}") from reason
    except BaseException:
        lock.close()
        raise


async def _open(order: WorkOrder, workspace: Path, site: Site, token: Callable[[], str]) -> Checkout:
    source = order.source
    known = site.base if site.resume else None
    if source.kind == "scratch":
        return await open_scratch(site)
    if source.kind == "local":
        repo = await open_local(Path(source.location))
        return await enter(repo, site, known or await local_base(repo, source.base_ref))
    clones = workspace / "clones"
    if source.kind == "hub":
        return await enter(await open_at_hub(clones, source, order.branch, token), site, source.base_ref or "")
    if known and (clone := await open_clone(clones, source.location)):
        return await enter(clone, site, known)
    repo, base = await open_url(clones, source.location, source.base_ref)
    return await enter(repo, site, base)
