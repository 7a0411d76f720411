"""Follows the hub's database: looks whether anything was committed, and takes in what is new."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from swarm_hub.analytics.projection import Projection
from swarm_hub.analytics.source import NotOurs, Source

log = logging.getLogger(__name__)

EVERY = 0.5  # seconds between two looks
REST = 0.005  # seconds after each page of many: the hub's own readers share its disk and processor


class Follower:
    """Runs in a thread of its own until it is stopped. `failed` is called with what it cannot go on after."""

    def __init__(
        self, projection: Projection, database: Path, zone: ZoneInfo, failed: Callable[[Exception], None]
    ) -> None:
        self._projection = projection
        self._database = database
        self._zone = zone
        self._failed = failed
        self._wanted = threading.Event()
        self._looked = threading.Condition()
        self._looks = 0  # finished ones that found nothing more to take in
        self._begun = 0
        self._version = -1  # of the database, when it was last taken in
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self._wanted.set()
        self._thread.join()

    def catch_up(self, seconds: float) -> bool:
        """Whether everything that was committed before this call is taken in, after so many seconds at most."""
        with self._looked:
            aim = self._begun + 1
            self._wanted.set()
            return self._looked.wait_for(lambda: self._looks >= aim, seconds)

    def _run(self) -> None:
        try:
            with closing(Source(self._database, self._zone)) as source:
                self._refuse_strange(source)
                while not self._stopped:
                    self._wanted.clear()
                    self._look(source)
                    self._wanted.wait(EVERY)
        except Exception as error:
            self._failed(error)

    def _refuse_strange(self, source: Source) -> None:
        cursor = self._projection.cursor
        if cursor.generation and source.anchor(cursor.seq, cursor.call_place) != cursor.anchor:
            raise NotOurs("it is not of this database")

    def _look(self, source: Source) -> None:
        with self._looked:
            self._begun += 1
            begun = self._begun
        version = source.version()
        if version != self._version:
            try:
                while self._take_page(source) and not self._stopped:
                    time.sleep(REST)
            except duckdb.OutOfMemoryException:
                log.warning("questions have all the memory: what is new has to wait")
                return
            self._version = version
        with self._looked:
            self._looks = begun
            self._looked.notify_all()

    def _take_page(self, source: Source) -> bool:
        """Whether there is another."""
        projection = self._projection
        changes = source.changes(projection.cursor, projection.left, projection.log_heads)
        projection.apply(changes)
        return changes.more
