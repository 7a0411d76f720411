"""The hub as the remote of workers elsewhere: what they fetch from it, and what they push there."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from swarm_api.worker import Source
from swarm_worker.backoff import delays
from swarm_worker.checkout import Checkout, CheckoutFailed, Repository
from swarm_worker.git import Git, GitFailed
from swarm_worker.locks import Lock
from swarm_worker.sources import bare, clone_of, make_bare

DEPTH = 50
"""Commits of history that come along: a big repository's whole past would take minutes, and a blame needs some."""
HUB = "refs/remotes/hub/"
PASSING = (
    "could not resolve host", "failed to connect", "couldn't connect", "connection refused", "connection reset",
    "timed out", "empty reply", "hung up", "early eof", "rpc failed", "recv failure", "send failure",
    "unexpected disconnect", "returned error: 5", "returned error: 408", "returned error: 429", "http 5", "http 429",
)  # fmt: skip
"""How git says that it did not reach the other side, or not to the end."""


async def open_at_hub(clones: Path, source: Source, branch: str, token: Callable[[], str]) -> Repository:
    """A clone of the task's repository at the hub, with the commit to start from, and the branch if it was pushed.

    A hub that is away is asked again until it is there. Raises `CheckoutFailed`.
    """
    path = clone_of(clones, source.location)
    clones.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = await Lock.take(path.with_suffix(".lock"))
    try:
        if not path.exists():
            await make_bare(path, source.location)
        await _fetched(path, source, token)
        git, config = await bare(path)
        await _take_branch(git, branch)
    except GitFailed as failure:
        raise CheckoutFailed("clone_failed", f"cannot fetch {source.location}: {failure}") from failure
    finally:
        lock.close()
    return Repository(git, path.resolve(), config)


async def push_to_hub(checkout: Checkout, source: Source, commit: str, token: Callable[[], str]) -> None:
    """The branch, and what was kept beside it. Nobody else may run on the machine's account. Raises `GitFailed`."""
    git, _ = await checkout.repo.git.secured()
    kept = f"refs/heads/{checkout.branch}-kept-*"
    refspecs = (f"+{commit}:{checkout.ref}", f"+{kept}:{kept}")
    await _opening(git, source, token()).remote("push", "--quiet", "--no-verify", "--", source.location, *refspecs)


def is_passing(failure: GitFailed) -> bool:
    """Whether the same call may work a little later."""
    return any(words in failure.complaint.lower() for words in PASSING)


async def _fetched(path: Path, source: Source, token: Callable[[], str]) -> None:
    options = ("--quiet", "--force", f"--depth={DEPTH}", "--no-auto-maintenance", "--no-write-fetch-head", "--no-tags")
    refspecs = ("+refs/swarm/base/*:refs/swarm/base/*", f"+refs/heads/*:{HUB}*")
    for delay in delays():
        git, _ = await bare(path)
        try:
            await _opening(git, source, token()).remote("fetch", *options, "--", source.location, *refspecs)
        except GitFailed as failure:
            if not is_passing(failure):
                raise
        else:
            return
        await asyncio.sleep(delay)


async def _take_branch(git: Git, branch: str) -> None:
    """What an earlier attempt pushed, unless this machine has the branch itself and more of it."""
    ours, theirs = f"refs/heads/{branch}", f"{HUB}{branch}"
    tips = (await git.run("for-each-ref", "--format=%(refname)", "--", ours, theirs)).split()
    if theirs in tips and ours not in tips:
        await git.run("update-ref", ours, theirs)


def _opening(git: Git, source: Source, token: str) -> Git:
    """Calls that show the worker's token to the hub, and to nobody else; plain http is the hub's operator's wish."""
    number = int(git.env["GIT_CONFIG_COUNT"])
    shown = {
        f"GIT_CONFIG_KEY_{number}": f"http.{source.location}.extraHeader",
        f"GIT_CONFIG_VALUE_{number}": f"Authorization: Bearer {token}",
        f"GIT_CONFIG_KEY_{number + 1}": "http.followRedirects",
        f"GIT_CONFIG_VALUE_{number + 1}": "false",
        "GIT_CONFIG_COUNT": str(number + 2),
        "GIT_ALLOW_PROTOCOL": "https:http",
    }
    return replace(git, env={**git.env, **shown})
