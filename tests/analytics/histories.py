"""Random histories of a hub's database, in its own transactions, with a projection that follows as it likes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
from hypothesis import strategies as st
from sqlalchemy import delete

from analytics.naive import Naive, Rows, projected
from scheduler.ledger import Clock, Ledger, template
from scheduler.money import DEFAULTS, PRICES, RICH
from swarm_api.errors import SwarmError
from swarm_api.tasks import TaskIn
from swarm_api.worker import (
    FilesReport,
    LogReport,
    ProgressReport,
    Report,
    ResultReport,
    Upstream,
    UsageReport,
)
from swarm_hub import claims, endings, intake, retries, transitions
from swarm_hub.analytics.files import discard
from swarm_hub.analytics.projection import Projection
from swarm_hub.analytics.source import Changes, Source
from swarm_hub.archive.parts import Part
from swarm_hub.archive.program import write_part
from swarm_hub.claims import Place
from swarm_hub.gateway import ledger as gateway
from swarm_hub.gateway.asked import Asked
from swarm_hub.gateway.ledger import Answered
from swarm_hub.gateway.refusals import Refused
from swarm_hub.ingest import ingest
from swarm_hub.orders import claim_order
from swarm_hub.prices import Metered
from swarm_hub.reports import AnyReport, Reports
from swarm_hub.settings import Settings
from swarm_hub.store import schema

ZONE = ZoneInfo("Asia/Kathmandu")  # its days begin at a quarter past
MODELS = ("claude-opus-4-5", "claude-haiku-4-5")
ASKED = Asked(MODELS[0], max_tokens=1_000, input_tokens=1_000)
BOOK = gateway.Ledger(PRICES, RICH)

wishes = st.builds(
    TaskIn,
    prompt=st.just("Work"),
    name=st.none() | st.just("named"),
    type=st.sampled_from(["code", "docs"]),
    repo=st.none() | st.just("acme/shop"),
    labels=st.sampled_from([{}, {"team": "a"}, {"team": "b", "cost": "x"}]),
    hold=st.sampled_from([False, False, False, True]),
)
tokens = st.integers(0, 5_000)
tools = st.builds(
    lambda use, end: {"toolUseId": use, "isError": True} if end else {"tool": "Bash", "toolUseId": use},
    st.sampled_from(["u1", "u2", "u3"]),
    st.booleans(),
)
moments = st.integers(1_770_000_000_000, 1_770_000_000_000 + 7_200_000)
sayings: st.SearchStrategy[Report] = st.one_of(
    st.builds(LogReport, stream=st.sampled_from(["agent", "stdout"]), text=st.text(max_size=9), at_ms=moments),
    st.builds(LogReport, stream=st.just("tool"), text=st.just("ran"), at_ms=moments, data=tools),
    st.builds(UsageReport, model=st.sampled_from(MODELS), input=tokens, output=tokens, cost_micro_usd=tokens),
    st.builds(FilesReport, paths=st.sampled_from([["a"], ["a", "b"]])),
    st.builds(ProgressReport, turns=st.integers(1, 9), last_tool=st.just("Bash"), rss_mb=st.just(7.5)),
)
ends = st.sampled_from([
    ("success", None), ("failure", "agent_failed"), ("failure", "runtime_crashed"), ("timeout", "timeout"),
])  # fmt: skip
answers = st.builds(
    Answered,
    usage=st.builds(Metered, input=tokens, output=tokens, cache_read=tokens, cache_write_5m=tokens),
    complete=st.booleans(),
    model=st.none() | st.sampled_from(MODELS),
    status=st.sampled_from([200, 529, None]),
    stop_reason=st.none() | st.just("end_turn"),
    first_ms=st.none() | st.integers(1, 900),
)


class History:
    """Tasks, agents, calls to the model and logs; and between them pages of a projection, restarts and repetitions.

    A step names a method and what it is given; one that makes no sense at its time does nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.ledger = Ledger(template(folder), self.clock)
        self.place = Place("fly", "ord", 4, RICH)  # whose machines cost something
        self.calls: list[str] = []
        self.source = Source(self.ledger.path, ZONE)
        self.projection = Projection.open(folder, ZONE.key, folder / "archive")
        self.pages: list[Changes] = []
        self.archived: dict[str, Rows] = {"events": Counter(), "budgets": Counter()}

    def close(self) -> None:
        self.projection.close()
        self.source.close()
        self.ledger.remove()

    # The hub.

    def submit(self, wish: TaskIn, depends: bool) -> None:
        needs = [row.id for row in self.ledger.rows(schema.tasks)][-1:] if depends else []
        drafts = intake.draft([wish.model_copy(update={"depends_on": needs})])
        self._try(lambda tx: intake.create(tx, drafts, DEFAULTS, ""))
        claimed, _full = self.ledger.work(lambda tx: claims.claim_ready(tx, self.place))
        for agent in claimed:
            self.ledger.work(partial(endings.keep_handle, agent_id=agent.agent_id, handle={}))

    def wait(self, seconds: float) -> None:
        self.clock.now_ms += round(seconds * 1000)

    def work(self, who: int, news: list[Report], end: tuple[Any, str | None] | None) -> None:
        if agent := _one(self._live(), who):
            self._try(lambda tx: claim_order(tx, agent.id, "the-only-worker", Settings(), Upstream()))
            self._try(lambda tx: ingest(tx, agent.id, Reports(reports=_numbered(agent, news, end)), RICH))

    def call(self, who: int) -> None:
        if agent := _one(self._live(), who):
            number = f"call{len(self.calls):04}"
            self.calls.append(number)
            self._try(lambda tx: BOOK.open(tx, number, agent.id, ASKED))

    def settle(self, which: int, answer: Answered) -> None:
        if number := _one(self.calls, which):
            self._try(lambda tx: BOOK.settle(tx, number, ASKED, answer))

    def settle_left_open(self) -> None:
        self.ledger.work(BOOK.settle_left_open)

    def leave(self, who: int, release: bool) -> None:
        """A worker is gone, whether it had ended or not; and then its machine, too."""
        if agent := _one([row for row in self.ledger.rows(schema.agents) if not row.released], who):
            self._try(lambda tx: endings.lose(tx, agent.id, "worker_lost", "it is gone"))
            if release:
                self._try(lambda tx: endings.release(tx, agent.id, agent.handle, PRICES))

    def steer(self, which: int, again: bool) -> None:
        if task := _one(self.ledger.rows(schema.tasks), which):
            steer = retries.retry if again else transitions.cancel
            more = (False,) if again else ()
            self._try(lambda tx: steer(tx, task.id, *more))

    def near_a_limit(self, limit: dict[str, Any], spent: bool) -> None:
        kind = "budget_exceeded" if spent else "budget_warning"
        self.ledger.work(lambda tx: tx.event(kind, None, limit))  # type: ignore[arg-type]  # one of two event types

    # The projection.

    def take_a_page(self) -> bool:
        changes = self.source.changes(self.projection.cursor, self.projection.left, self.projection.log_heads)
        assert self.projection.apply(changes)
        self.pages.append(changes)
        return changes.more

    def feed_again(self, which: int) -> None:
        if page := _one(self.pages, which):
            assert not self.projection.apply(page)

    def start_again(self) -> None:
        self.projection.close()
        self.projection = Projection.open(self.folder, ZONE.key, self.folder / "archive")

    def make_again(self) -> None:
        self.projection.close()
        discard(self.folder)
        self.pages.clear()
        self.projection = Projection.open(self.folder, ZONE.key, self.folder / "archive")

    def archive(self, which: int) -> None:
        """Events up to one of them move into a file; the newest one stays, and those that are still to be seen."""
        seen = self.projection.cursor.seq or 1_000_000
        if event := _one([row for row in self.ledger.rows(schema.events)[:-1] if row.seq <= seen], which):
            first = min(row.seq for row in self.ledger.rows(schema.events))
            part = Part(first, event.seq)
            write_part(self.ledger.path, self.folder / "archive" / part.name, *part[:2])
            before = self._naive()
            gone = delete(schema.events).where(schema.events.c.seq <= event.seq)
            self.ledger.work(lambda tx: tx.execute(gone))
            after = self._naive()
            for name, rows in self.archived.items():
                rows += before[name] - after[name]

    def compare(self) -> None:
        """With all of the hub's database, and to the micro-dollar with its books."""
        while self.take_a_page():
            pass
        naive = self._naive()
        for table, archived in self.archived.items():
            naive[table] += archived
        with self.projection.connection() as connection:
            for name, rows in projected(connection).items():
                assert (name, list(rows - naive[name]), list(naive[name] - rows)) == (name, [], [])
            self._compare_sums(connection)

    def _naive(self) -> dict[str, Rows]:
        return Naive(self.ledger.connection, ZONE).tables()

    def _compare_sums(self, connection: duckdb.DuckDBPyConnection) -> None:
        by_agent = "SELECT agent_id, sum(cost_micro_usd) FROM usage GROUP BY 1"
        used = {agent: cost for agent, cost in connection.execute(by_agent).fetchall() if cost}
        assert used == {row.id: row.cost_micro_usd for row in self.ledger.rows(schema.agents) if row.cost_micro_usd}
        spent = "SELECT coalesce(sum(spent_micro_usd), 0) FROM spending WHERE key IS NULL"
        assert connection.execute(spent).fetchall() == [(sum(used.values()),)]

    def _try(self, work: Any) -> None:
        try:
            self.ledger.work(work)
        except (SwarmError, Refused):
            pass  # the hub refuses what makes no sense at that time

    def _live(self) -> list[Any]:
        return [row for row in self.ledger.rows(schema.agents) if row.status in ("starting", "running", "stopping")]


def _one(many: Sequence[Any], which: int) -> Any:
    """One of them, if there is any."""
    return many[which % len(many)] if many else None


def _numbered(agent: Any, news: list[Report], end: tuple[Any, str | None] | None) -> list[AnyReport]:
    if end is not None:
        files = ["a.py"] if end[0] == "success" else []
        news = [*news, ResultReport(status=end[0], error_code=end[1], files_changed=files, additions=3, turns=2)]
    return [replace(report, n=agent.stored_n + at) for at, report in enumerate(news, 1)]


Step = tuple[str, tuple[Any, ...]]
_which = st.integers(0, 9)


def _step(name: str, *given: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.tuples(*given))


_limits = st.fixed_dictionaries(
    {
        "scope": st.sampled_from(["daily", "label"]),
        "limitCents": st.integers(0, 900),
        "spentCents": st.integers(0, 900),
    },
    optional={"label": st.sampled_from(["team=a", "it's=1"])},
)
_work = _step("work", _which, st.lists(sayings, max_size=8), st.none() | st.none() | ends)
steps: st.SearchStrategy[Step] = st.one_of(
    _step("submit", wishes, st.booleans()),
    _step("wait", st.sampled_from([0.001, 7.0, 900.0, 90_000.0])),
    _work,
    _work,
    _step("call", _which),
    _step("call", _which),
    _step("settle", _which, answers),
    _step("settle", _which, answers),
    _step("settle_left_open"),
    _step("leave", _which, st.booleans()),
    _step("steer", _which, st.booleans()),
    _step("near_a_limit", _limits, st.booleans()),
    _step("take_a_page"),
    _step("take_a_page"),
    _step("feed_again", _which),
    _step("start_again"),
    _step("make_again"),
    _step("archive", _which),
    _step("compare"),
)
