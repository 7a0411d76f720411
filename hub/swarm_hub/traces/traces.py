"""Tells a collector what is new, from a cursor: what it has not taken is told again."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from swarm_api.errors import StorageFailed
from swarm_api.redaction import Redactor
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices, Transaction
from swarm_hub.traces.source import Cursor, Page, keep_cursor, known_cursor, read_page
from swarm_hub.traces.spans import spans_of

if TYPE_CHECKING:
    from swarm_hub.traces.collector import Collector

T = TypeVar("T")
EVERY = 1.0  # seconds between two looks at what is new
LONGEST_REST = 60.0  # seconds between two attempts while the collector takes nothing
OLDEST_MS = 60 * 60_000  # what ended earlier is not told any more: so long a collector may be away
LAST = 1.5  # seconds for what is left when the hub stops
TELL_AGAIN = 600.0  # seconds between two complaints

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Destination:
    """Where spans go: the base URL of a collector, and the headers that it asks for."""

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Traces:
    """Open with `async with`. Nothing waits for it but the end of the hub, and that for `LAST` seconds."""

    def __init__(self, store: Store, destination: Destination, redactor: Redactor) -> None:
        self._store = store
        self._destination = destination
        self._redactor = redactor
        self._collector: Collector | None = None
        self._changed, self._closing = asyncio.Event(), asyncio.Event()
        self._failures = 0
        self._complained_at: float | None = None
        store.listen(self._hear)

    async def __aenter__(self) -> "Traces":
        self._cursor: Cursor = await self._store.write(_begin)
        self._kept = self._cursor
        self._changed.set()
        self._following = asyncio.create_task(self._follow(), name="traces")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self._changed.set()
        await asyncio.wait([self._following], timeout=LAST)
        self._following.cancel()
        await asyncio.wait([self._following])
        if self._collector is not None:
            self._collector.close()

    def _hear(self, _notices: Notices) -> None:
        self._changed.set()

    async def _follow(self) -> None:
        """Until the hub stops, with a last look then. Whatever goes wrong here is told, and tried again later."""
        while not self._closing.is_set():
            await self._changed.wait()
            await self._catch_up()
            await self._rest()
        if not self._failures:
            await self._catch_up()

    async def _catch_up(self) -> None:
        self._changed.clear()
        try:
            while await self._round():
                pass
        except Exception:
            self._failures += 1
            log.exception("spans could not be made; it is tried again")
        if self._failures:
            self._changed.set()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(LONGEST_REST, EVERY * 2 ** min(self._failures, 10))):
                await self._closing.wait()

    async def _round(self) -> bool:
        """Tell a page of what is new. Whether there is another."""
        cursor = self._cursor
        page = await self._store.read(lambda connection: read_page(connection, cursor))
        if page.until == cursor:
            return False
        if not await in_the_background(lambda: self._send(page)):
            self._complain()
            return False
        self._recover()
        self._cursor = page.until
        await self._keep(told=bool(page.calls or page.stories))
        return page.more

    async def _keep(self, told: bool) -> None:
        """What would tell nothing a second time need not be written down."""
        cursor = self._cursor
        if told or cursor.seq - self._kept.seq > 1_000:
            with contextlib.suppress(StorageFailed):  # the disk is full: then some are told twice
                await self._store.write(lambda tx: keep_cursor(tx, cursor))
                self._kept = cursor

    def _send(self, page: Page) -> bool:
        oldest = self._store.now_ms() - OLDEST_MS
        spans = [span for span in spans_of(page) if span.end_ms >= oldest]
        if not spans:
            return True
        if self._collector is None:
            from swarm_hub.traces.collector import Collector  # a tenth of a second that few hubs need

            self._collector = Collector(self._destination.endpoint, self._destination.headers, self._redactor)
        return self._collector.send(spans)

    def _complain(self) -> None:
        self._failures += 1
        now = asyncio.get_running_loop().time()
        if self._complained_at is not None and now - self._complained_at < TELL_AGAIN:
            return
        self._complained_at = now
        reason = self._collector.reason if self._collector else ""
        log.warning("%s takes no spans: %s; it is tried again", self._destination.endpoint, reason)

    def _recover(self) -> None:
        if self._failures and self._complained_at is not None:
            log.info("%s takes spans again", self._destination.endpoint)
            self._complained_at = None
        self._failures = 0


def _begin(tx: Transaction) -> Cursor:
    """Where to begin, written down: were the hub killed now, the next one would begin there, too."""
    cursor = known_cursor(tx)
    keep_cursor(tx, cursor)
    return cursor


async def in_the_background(work: Callable[[], T]) -> T:
    """The outcome of work in a thread that does not hold up the end of the process, nor of whoever is cancelled."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # what work gives may be None

    def run() -> None:
        outcome: tuple[T | None, Exception | None]
        try:
            outcome = work(), None
        except Exception as error:
            outcome = None, error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name="traces", daemon=True).start()
    return await done
