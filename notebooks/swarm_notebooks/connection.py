"""The hub as a notebook sees it: found as the command line finds it, asked without `await`, answered in data frames."""

import asyncio
import atexit
import os
import threading
import warnings
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

import pandas as pd  # type: ignore[import-untyped]

from swarm_api.access import access, may_be_insecure
from swarm_api.analytics import MOST_ROWS, Metrics, MetricsPeriod, Params, SchemaOut
from swarm_api.budget import Budget
from swarm_api.client import HubClient
from swarm_api.config import checked_url, hub_url
from swarm_api.errors import Forbidden, HubUnreachable, NotAuthenticated, SwarmError
from swarm_api.source import Source, source_of
from swarm_notebooks.frames import frame_of

T = TypeVar("T")


def connect(url: str | None = None, *, environ: Mapping[str, str] = os.environ) -> "Swarm":
    """The hub at `url`, or the one that `SWARM_URL`, the config file or a hub on this machine names, once it answered.

    Raises `BadConfig`, `HubUnreachable`, `NotAuthenticated`, and `Forbidden` for who may not read metrics.
    """
    address = hub_url(None, environ) if url is None else checked_url(url, "url")
    swarm = Swarm(address, access(address, environ), insecure=may_be_insecure(environ))
    try:
        swarm.schema()
    except BaseException:
        swarm.close()
        raise
    atexit.register(swarm.close)
    pd.set_option("display.html.use_mathjax", False)  # a value `$x$` is no formula
    return swarm


class Swarm:
    """A hub. Its methods wait for their answer, and may be called by several threads at once.

    A kernel runs a loop of its own in the cells' thread; the client has another one, in a thread of its own.
    """

    def __init__(self, url: str, token: str | Source | None, *, insecure: bool = False) -> None:
        self.url = url
        self.source = source_of(token)
        self.insecure = insecure
        self._zone: ZoneInfo | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="swarm", daemon=True)
        self._thread.start()
        self._client = HubClient(url, self.source, insecure=insecure)
        self._await(self._client.__aenter__())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Swarm({self.url!r})"

    def close(self) -> None:
        """Close the connections. What is asked afterwards raises `RuntimeError`."""
        if self._loop.is_closed():
            return
        self._await(self._client.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def query(self, sql: str, params: Params = None, *, limit: int = MOST_ROWS) -> pd.DataFrame:
        """The rows of one SELECT over the tables of `tables`. Warns when there are as many as `limit`.

        Integers stay integers, times are in the hub's time zone, empty values are `NA`. Raises `InvalidInput` for SQL
        that cannot be asked.
        """
        rows = frame_of(self.ask(lambda client: client.query_as("arrow", sql, params, limit=limit)))
        if len(rows) >= limit:
            warnings.warn(f"the answer was cut after {limit:,} rows: there may be more", stacklevel=2)
        return rows

    def tables(self) -> pd.DataFrame:
        """What can be asked: a row for each column of each table, with a sentence."""
        rows = [(table.name, *column) for table in self.schema().tables for column in _columns(table)]
        return pd.DataFrame(rows, columns=["table", "column", "type", "meaning"])

    def schema(self) -> SchemaOut:
        return self.ask(lambda client: client.schema())

    def metrics(self, period: MetricsPeriod = "day") -> Metrics:
        return self.ask(lambda client: client.metrics(period))

    def budget(self) -> Budget:
        return self.ask(lambda client: client.budget())

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose days the hub counts."""
        if self._zone is None:
            self._zone = ZoneInfo(self.schema().time_zone)
        return self._zone

    def now(self) -> datetime:
        return datetime.now(self.zone)

    def ask(self, question: Callable[[HubClient], Coroutine[Any, Any, T]]) -> T:
        """What a method of the API's client answers: `swarm.ask(lambda client: client.cancel(id))`.

        Raises `SwarmError`, with a note of how to mend it where that is known.
        """
        if self._loop.is_closed():
            raise RuntimeError("this connection was closed: connect() again")
        try:
            return self._await(question(self._client))
        except SwarmError as error:
            # The frames of the other thread tell a notebook's reader nothing.
            raise _noted(error).with_traceback(None) from None

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        asked = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return asked.result()
        except BaseException:
            asked.cancel()  # a cell that is interrupted takes its question back
            raise


def _columns(table: Any) -> list[tuple[str, str, str]]:
    return [(column.name, column.type, column.description) for column in table.columns]


def _noted(error: SwarmError) -> SwarmError:
    hint = _hint(error)
    if hint and hint not in getattr(error, "__notes__", ()):
        error.add_note(hint)
    return error


def _hint(error: SwarmError) -> str:
    if isinstance(error, HubUnreachable):
        return "Start a hub with `swarm orchestrator start --background`, or name another: connect(url), SWARM_URL."
    if isinstance(error, NotAuthenticated):
        return "Run `swarm login` in a terminal, or set SWARM_API_KEY before the kernel starts."
    if isinstance(error, Forbidden):
        return "The credential lacks a right: `swarm keys create NAME --scope metrics:read` makes a key that has it."
    return ""
