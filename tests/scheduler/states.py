"""The hub under test and the model beside it, which the rules move on together."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from scheduler.ledger import Clock, Ledger
from scheduler.model import Task, World
from scheduler.money import RICH
from swarm_api.errors import Conflict
from swarm_hub.claims import Claimed, Place, claimed_agents
from swarm_hub.store.transaction import Transaction

T = TypeVar("T")
CAPACITY = 3


class Aborted(Exception):
    """What work in the middle of a transaction raises when a test wants it undone."""


class States(RuleBasedStateMachine):
    """Rules say what they do to the hub and, in the model's words, what should come of it."""

    place = Place("local", None, CAPACITY, RICH)
    empty: Path  # a database that every example begins with a copy of

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.ledger = Ledger(self.empty, self.clock)
        self.world = World(CAPACITY)
        self.since_ms = self.clock.now_ms  # when the hub was started
        self.retried: set[str] = set()  # since the last commit, and what revived with them
        self.works_before = 0  # the hub that runs was started
        self._before_group = self.world

    def teardown(self) -> None:
        self.ledger.remove()

    def gather(self) -> None:
        self.ledger.gather()
        self._before_group = copy.deepcopy(self.world)

    def start_hub_again(self, away_ms: int) -> None:
        """What was committed is there when it is back; what was not is gone."""
        if self.ledger.grouping:
            self.world = self._before_group
        self.clock.now_ms += away_ms
        self.ledger.restart()
        self.since_ms = self.clock.now_ms
        self.works_before = self.ledger.works

    def undone(self, work: Callable[[Transaction], object]) -> None:
        """Do work that fails at its end."""

        def abort(tx: Transaction) -> None:
            work(tx)
            raise Aborted

        with pytest.raises(Aborted):
            self.ledger.work(abort)

    def refused(self, code: str, work: Callable[[Transaction], object]) -> None:
        """Do work that must be refused."""
        with pytest.raises(Conflict) as refusal:
            self.ledger.work(work)
        assert refusal.value.code == code

    def claimed(self, work: Callable[[Transaction], Sequence[Claimed]]) -> list[Task]:
        """Do work that claims tasks; which, in order. The model follows."""
        ids = self.ledger.work(lambda tx: _tasks_of(tx, work(tx)))
        by_id = {task.id: task for task in self.world.tasks}
        for task_id, agent_id in ids:
            self.world.claim(by_id[task_id], agent_id, self.clock.now_ms)
        return [by_id[task_id] for task_id, _ in ids]


def _tasks_of(tx: Transaction, claims: Sequence[Claimed]) -> list[tuple[str, str]]:
    tasks = {agent.id: str(agent.current_task) for agent in claimed_agents(tx, claims)}
    return [(tasks[claim.agent_id], claim.agent_id) for claim in claims]


def one_of(choose: Callable[[World], Sequence[T]]) -> st.SearchStrategy[T]:
    """One of some tasks or agents of the model as it is when a rule begins."""

    def choice(states: States) -> st.SearchStrategy[T]:
        return st.sampled_from(choose(states.world))

    return st.runner().flatmap(choice)


def any_of(choose: Callable[[World], Sequence[object]]) -> Callable[[States], bool]:
    """A precondition: there is something to choose."""
    return lambda states: bool(choose(states.world))
