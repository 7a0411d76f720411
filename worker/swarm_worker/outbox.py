"""What waits to be sent: reports, numbered and stamped when they are taken in hand, kept on disk until stored."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from swarm_api.redaction import RedactedStream, Redactor
from swarm_api.words import Stream
from swarm_api.worker import LogReport, Report, ResultReport
from swarm_worker.encoding import encode, parts
from swarm_worker.spool import Spool

FULL = 256 * 1024 * 1024
"""Bytes that may wait for a hub that is away. What produces more has to wait too: a full disk stops everybody."""


class Outbox:
    """Takes reports from everywhere in the worker; one sender empties it. What it keeps is redacted."""

    def __init__(
        self, spool: Spool, redactor: Redactor | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.redactor = redactor or Redactor()
        self.news = asyncio.Event()
        """Something is waiting."""
        self.urgent = asyncio.Event()
        """The result is waiting: nothing more will come that could go with it."""
        self._spool = spool
        self._streams: dict[Stream, RedactedStream] = {name: self.redactor.stream() for name in get_args(Stream)}
        self._clock = clock
        self._began = clock()
        self._moved = asyncio.Event()
        self._held: deque[Report] = deque()
        self._dropped = 0
        self._stand_in: bytes | None = None
        self.refused_result = False

    @property
    def elapsed_ms(self) -> int:
        return int((self._clock() - self._began) * 1000)

    def put(self, report: Report) -> None:
        """Take a report in hand. On a full disk log lines are counted instead, and all else waits in memory."""
        for part in parts(report, self._streams):
            self._store(part)
        self.news.set()
        if isinstance(report, ResultReport):
            self.urgent.set()

    def say(self, text: str) -> None:
        """A line of the worker's own."""
        self.put(LogReport(stream="system", text=text))

    async def room(self) -> None:
        """Wait until what waits to be sent has become little enough for more."""
        while self._spool.waiting > FULL:
            await self._movement()

    async def emptied(self) -> None:
        """Wait until the hub has stored everything."""
        while self._held or self._spool.stored < self._spool.last:
            await self._movement()

    def batch(self, count: int, size: int) -> list[bytes]:
        """What to send next. None, and `news` still set: something waits for room on the disk."""
        self._store_held()
        reports = self._spool.batch(count, size)
        if not reports and not self._held:
            self.news.clear()
        return [self._stand_in] if self._stand_in else reports

    def acknowledge(self, stored: int) -> None:
        """Raises `Rewound`."""
        if stored > self._spool.stored:
            self._stand_in = None
        self._spool.acknowledge(stored)
        self._moved.set()

    def excuse(self, refused: bytes, why: str) -> None:
        """Put something harmless in the place of a report that the hub will never take: numbers have no gaps."""
        report = _excuse(json.loads(refused), why)
        self._stand_in = encode(report, self.redactor)
        self.refused_result = isinstance(report, ResultReport)

    def _store(self, report: Report) -> None:
        self._held.append(report)
        try:
            self._flush()
        except OSError:
            if isinstance(report, LogReport):
                self._held.pop()
                self._dropped += 1

    def _store_held(self) -> None:
        try:
            self._flush()
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                self.say(f"{dropped:,} lines are missing here: there was no room for them on the disk")
        except OSError:
            pass  # still full; asked again with the next batch

    def _flush(self) -> None:
        while self._held:
            self._spool.append(encode(self._stamped(self._held[0]), self.redactor))
            self._held.popleft()

    def _stamped(self, report: Report) -> Report:
        n = self._spool.last + 1
        if isinstance(report, LogReport):
            return replace(report, n=n, at_ms=time.time_ns() // 1_000_000, elapsed_ms=self.elapsed_ms)
        return replace(report, n=n)

    async def _movement(self) -> None:
        self._moved.clear()
        await self._moved.wait()


def _excuse(refused: dict[str, Any], why: str) -> Report:
    n, kind = refused["n"], refused["kind"]
    if kind != "result":
        return LogReport(n=n, stream="system", text=f"the hub refused a report of the kind {kind}: {why}")
    return ResultReport(
        n=n,
        status="failure",
        error_code="delivery_failed",
        error_message=f"the hub refused the result: {why}",
        summary=f"the work is on the branch {refused.get('branch')}",
        branch=refused.get("branch"),
        base_commit=refused.get("baseCommit"),
        commit=refused.get("commit"),
    )
