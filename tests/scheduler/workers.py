"""What workers do, good and bad, and what the hub does about those that say nothing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from pydantic_core import to_json

from scheduler.model import Agent, World
from scheduler.money import PRICES, RICH
from scheduler.states import States, any_of, one_of
from swarm_api.words import ResultStatus
from swarm_api.worker import Ack, LogReport, ProgressReport, Report, ResultReport, Upstream, UsageReport, WorkOrder
from swarm_hub import endings
from swarm_hub.ingest import ingest
from swarm_hub.orders import claim_order
from swarm_hub.reports import Reports
from swarm_hub.settings import Settings
from swarm_hub.store.transaction import Transaction

Manner = Literal["what is new", "everything again", "with a gap", "backwards", "nothing"]
manners: st.SearchStrategy[Manner] = st.sampled_from(
    ["what is new", "what is new", "everything again", "with a gap", "backwards", "nothing"]
)
sayings: st.SearchStrategy[Report] = st.one_of(
    st.builds(LogReport, stream=st.just("agent"), text=st.sampled_from(["read", "thought", "wrote"])),
    st.builds(
        UsageReport,
        model=st.sampled_from(["opus", "haiku"]),
        input=st.integers(0, 9),
        cost_micro_usd=st.integers(0, 20_000),
    ),
    st.builds(ProgressReport, session_id=st.sampled_from(["one", "two"]), turns=st.integers(1, 9)),
)
End = tuple[ResultStatus, str | None]
ends: st.SearchStrategy[End] = st.sampled_from([
    ("success", None), ("success", None), ("success", None), ("failure", "agent_failed"),
    ("failure", "runtime_crashed"), ("failure", "out_of_memory"), ("cancelled", "worker_stopped"),
    ("timeout", "timeout"), ("budget", "budget"), ("cancelled", "cancelled"),
])  # fmt: skip


class Turn(NamedTuple):
    """What one of the workers does next. `heard`: it has seen what it was told to do."""

    who: int
    news: list[Report]
    end: End | None
    manner: Manner
    heard: bool


turns = st.builds(
    Turn,
    who=st.integers(0, 9),
    news=st.lists(sayings, max_size=4),
    end=st.none() | st.none() | ends,
    manner=manners,
    heard=st.booleans(),
)


def _agents(world: World) -> list[Agent]:
    return world.agents


def _unstarted(world: World) -> list[Agent]:
    return [agent for agent in world.agents if not agent.started and not agent.released]


def _live(world: World) -> list[Agent]:
    return world.live


def _fenced(world: World) -> list[Agent]:
    return [agent for agent in world.agents if not agent.live and agent.begun]


def _unreleased(world: World) -> list[Agent]:
    return [agent for agent in world.agents if not agent.live and not agent.released]


class Workers(States):
    @precondition(any_of(_unstarted))
    @rule(agent=one_of(_unstarted))
    def start(self, agent: Agent) -> None:
        self.ledger.work(lambda tx: endings.keep_handle(tx, agent.id, {"agentId": agent.id}))
        agent.started = True

    @precondition(any_of(_unstarted))
    @rule(agent=one_of(_unstarted))
    def fail_to_start(self, agent: Agent) -> None:
        self.ledger.work(lambda tx: endings.never_started(tx, agent.id, "there is no room", PRICES))
        if agent.live:
            self.world.settle(agent, "failure", "start_failed")
        agent.released = True

    @precondition(any_of(_live))
    @rule(turns=st.lists(turns, min_size=1, max_size=4))
    def work(self, turns: list[Turn]) -> None:
        for turn in turns:
            if live := self.world.live:
                self._take_turn(live[turn.who % len(live)], turn)

    @precondition(any_of(_live))
    @rule(agent=one_of(_live), end=ends, heard=st.booleans())
    def finish(self, agent: Agent, end: End, heard: bool) -> None:
        self._take_turn(agent, Turn(0, [], end, "what is new", heard))

    @precondition(any_of(_agents))
    @rule(agent=one_of(_agents))
    def do_what_is_not_its_turn(self, agent: Agent) -> None:
        if agent.live and agent.begun:
            self._check_order(agent, self.ledger.work(_claim(agent)))
            self.refused("stale_agent", _claim(agent, "a-second-worker"))
        else:
            self.refused("stale_agent", lambda tx: ingest(tx, agent.id, Reports(), RICH))
        if not agent.live:
            self.refused("stale_agent", _claim(agent))
            self._lose(agent)
            if agent.started and not agent.released:
                self.ledger.work(
                    lambda tx: endings.release(tx, agent.id, None, PRICES)
                )  # as it was before it was started

    @precondition(any_of(_fenced))
    @rule(agent=one_of(_fenced), news=st.lists(sayings, max_size=2), manner=manners)
    def report_though_it_is_over(self, agent: Agent, news: list[Report], manner: Manner) -> None:
        _say(agent, news)
        batch = _batch(agent, manner)
        if batch and agent.stored + 1 not in [report.n for report in batch]:
            assert self._send(agent, batch, heard=True) == Ack(stored=agent.stored)
        else:
            self.refused("stale_agent", lambda tx: ingest(tx, agent.id, Reports(reports=[*batch]), RICH))

    @precondition(any_of(_live))
    @rule(agent=one_of(_live))
    def vanish(self, agent: Agent) -> None:
        self._lose(agent)
        self.world.settle(agent, "failure", "worker_lost")

    @precondition(any_of(_agents))
    @rule()
    def look_around(self) -> None:
        """The hub ends what is overdue, and its executor sees to it that nothing of what has ended runs on."""
        for agent in self.world.live:
            overdue = agent.overdue(self.clock.now_ms, self.since_ms)
            self.ledger.work(partial(endings.end_overdue, agent_id=agent.id, since_ms=self.since_ms))
            if overdue and agent.begun:
                self.world.settle(agent, "timeout", "timeout")
            elif overdue:
                self.world.settle(agent, "failure", "start_failed")
        for agent in _unreleased(self.world):
            self.release(agent)

    @precondition(any_of(_unreleased))
    @rule(agent=one_of(_unreleased))
    def release(self, agent: Agent) -> None:
        handle = to_json({"agentId": agent.id}).decode() if agent.started else None
        self.ledger.work(lambda tx: endings.release(tx, agent.id, handle, PRICES))
        agent.released = True

    def _lose(self, agent: Agent) -> None:
        self.ledger.work(lambda tx: endings.lose(tx, agent.id, "worker_lost", "its process is gone"))

    def _take_turn(self, agent: Agent, turn: Turn) -> None:
        """A worker takes its order first, reports, and says last of all how it ended."""
        if not agent.begun:
            self.take_the_order(agent)
        end = [ResultReport(status=turn.end[0], error_code=turn.end[1])] if turn.end else []
        self.report(agent, [*turn.news, *end], turn.manner, turn.heard)

    def take_the_order(self, agent: Agent) -> None:
        self._check_order(agent, self.ledger.work(_claim(agent)))
        self.world.begin(agent, self.clock.now_ms)

    def report(self, agent: Agent, news: list[Report], manner: Manner, heard: bool) -> None:
        _say(agent, news)
        batch = _batch(agent, manner)
        ack = self._send(agent, batch, heard)
        self.world.hear(agent, batch)
        cancelled = agent.stop_ms is not None and not heard
        assert ack.stored == agent.stored
        assert [control.kind for control in ack.control] == (["cancel"] if cancelled else [])

    def _send(self, agent: Agent, batch: Sequence[Report], heard: bool) -> Ack:
        seen = 1 if heard else 0
        return self.ledger.work(lambda tx: ingest(tx, agent.id, Reports(reports=[*batch], seen_control=seen), RICH))

    def _check_order(self, agent: Agent, order: WorkOrder) -> None:
        assert (order.task_id, order.attempt) == (agent.task.id, agent.attempt)
        assert order.limits.timeout_seconds * 1000 == agent.task.timeout_ms
        resumed = agent.attempt > 1 and not agent.fresh
        assert (order.resume is not None) == resumed
        if order.resume:
            assert order.resume.session_id == agent.task.session


def _claim(agent: Agent, incarnation: str = "the-first-worker") -> Callable[[Transaction], WorkOrder]:
    return lambda tx: claim_order(tx, agent.id, incarnation, Settings(), Upstream())


def _say(agent: Agent, news: Sequence[Report]) -> None:
    """The worker numbers what it has to say, once."""
    for n, report in enumerate(news, len(agent.said) + 1):
        agent.said.append(replace(report, n=n))


def _batch(agent: Agent, manner: Manner) -> list[Report]:
    """What the worker sends of what it has said."""
    new = agent.said[agent.stored :]
    match manner:
        case "what is new":
            return new
        case "everything again":
            return agent.said
        case "with a gap":
            return new[1:]
        case "backwards":
            return new[::-1]
        case "nothing":
            return []
