"""`hub.json`: where the clients of this machine's user find the hub, and the token they show it."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from swarm_api import __version__
from swarm_api.base import from_ms, rfc3339
from swarm_hub.identity.grants import LOCAL_TTL
from swarm_hub.services import Hub

LOOK, AGAIN = 10.0, 60.0  # seconds
log = logging.getLogger(__name__)


@asynccontextmanager
async def runtime_file(path: Path, hub: Hub, url: str) -> AsyncIterator[None]:
    """Kept up to date while the hub runs, and gone afterwards: ours whatever it says, as there is one hub a folder."""
    await asyncio.to_thread(_write, path, _note(hub, url))
    renewing = asyncio.create_task(_renew(path, hub, url))
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.wait([renewing])
        await asyncio.to_thread(path.unlink, missing_ok=True)


async def _renew(path: Path, hub: Hub, url: str) -> None:
    """By the clock on the wall, looked at often: timers stand still while the machine sleeps, and clocks are set."""
    made = hub.identity.clock()
    due = made + LOCAL_TTL / 2
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK):
                await hub.local_ended.wait()
        now = hub.identity.clock()
        if made <= now < due and not hub.local_ended.is_set():
            continue
        hub.local_ended.clear()
        try:
            await asyncio.to_thread(_write, path, _note(hub, url))
            made, due = now, now + LOCAL_TTL / 2
        except OSError as error:  # a full disk, say: there is time to try again before the token has run out
            log.warning("the token in %s could not be renewed: %s", path, error)
            made, due = now, now + AGAIN


def _note(hub: Hub, url: str) -> str:
    me, now = psutil.Process(), hub.identity.clock()
    caller = hub.grants.for_this_run(now)
    return json.dumps({
        "pid": me.pid, "startTime": me.create_time(), "url": url, "version": __version__,
        "token": hub.identity.signer.sign(caller, now),
        "tokenExpiresAt": rfc3339(from_ms(int(caller.expires or 0) * 1000)),
    })  # fmt: skip


def _write(path: Path, note: str) -> None:
    """Whole or not at all, for its owner alone, and never through a link that lies there."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(note)
    draft.replace(path)
