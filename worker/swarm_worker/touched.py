"""Tells the hub which files an agent has touched, while it works: conflicts are found before they are merged."""

import asyncio

from swarm_api.worker import FilesReport
from swarm_worker.changes import touched
from swarm_worker.checkout import Checkout
from swarm_worker.git import GitFailed
from swarm_worker.outbox import Outbox

SETTLE = 1.0
"""Seconds from the first sign of work to the first look."""
PAUSE = 4.0


class Touched:
    """`stir` says that something may have changed; `follow` looks and reports, not too often."""

    def __init__(self, checkout: Checkout, outbox: Outbox) -> None:
        self._checkout = checkout
        self._outbox = outbox
        self._stirred = asyncio.Event()
        self._told: list[str] = []

    def stir(self) -> None:
        self._stirred.set()

    def tell(self, paths: list[str]) -> None:
        if paths != self._told:
            self._told = paths
            self._outbox.put(FilesReport(paths=paths))

    async def follow(self) -> None:
        """Runs until it is cancelled."""
        while True:
            await self._stirred.wait()
            await asyncio.sleep(SETTLE)
            self._stirred.clear()
            try:
                git, _ = await self._checkout.git.secured()
                self.tell(await touched(git, self._checkout.base))
                if self._checkout.stand_in:
                    await self._checkout.stand_in.bring_branch()
            except GitFailed:
                pass  # the agent is in the middle of something; the result says it all the same
            await asyncio.sleep(PAUSE)
