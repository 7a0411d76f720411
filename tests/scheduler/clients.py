"""What clients do: submit, execute, cancel, retry; and what the scheduler does by itself."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from scheduler.model import BROKEN, Task, World, broken
from scheduler.money import DEFAULTS
from scheduler.states import States, any_of, one_of
from swarm_api.errors import InvalidInput
from swarm_api.tasks import TaskIn
from swarm_api.words import FINISHED, Priority
from swarm_hub import claims, intake, retries, transitions
from swarm_hub.store.transaction import Transaction


class Wish(NamedTuple):
    """A task to be. `after` picks what it depends on among those that are there."""

    priority: Priority
    held: bool
    attempts: int
    minutes: int
    after: list[int]


wishes = st.builds(
    Wish,
    priority=st.sampled_from(["normal", "high", "low"]),
    held=st.sampled_from([False, False, False, True]),
    attempts=st.integers(1, 3),
    minutes=st.sampled_from([60, 1]),
    after=st.lists(st.integers(0, 20), max_size=2),
)


def _tasks(world: World) -> list[Task]:
    return world.tasks


def _broken(world: World) -> list[Task]:
    return [task for task in world.tasks if task.status in BROKEN]


def _running(world: World) -> list[Task]:
    return [agent.task for agent in world.live]


def _idle(world: World) -> list[Task]:
    return [task for task in world.tasks if task.idle]


def _startable(world: World) -> list[Task]:
    return [task for task in world.tasks if not _no_execute(task, world.room)]


def _unfinished(world: World) -> list[Task]:
    return [task for task in world.tasks if task.status not in FINISHED]


def _retriable(world: World) -> list[Task]:
    return [task for task in world.tasks if not _no_retry(task)]


class Clients(States):
    @initialize(wanted=st.lists(wishes, min_size=1, max_size=4))
    def submit_the_first(self, wanted: list[Wish]) -> None:
        self.submit(wanted)

    @rule(wanted=st.lists(wishes, min_size=1, max_size=4))
    def submit(self, wanted: list[Wish]) -> None:
        new = self._imagine(wanted)
        prefix = "tasks." if len(new) > 1 else ""
        drafts = intake.draft([_spec(task, new if prefix else []) for task in new], prefix)
        for task, draft in zip(new, drafts, strict=True):
            task.id = draft.id
        self.ledger.work(lambda tx: intake.create(tx, drafts, DEFAULTS, prefix))
        self.world.tasks += new

    @precondition(any_of(_broken))
    @rule(needed=one_of(_broken), wish=wishes)
    def submit_behind_what_is_broken(self, needed: Task, wish: Wish) -> None:
        task = self._imagine([wish])[0]
        task.needs.append(needed)
        drafts = intake.draft([_spec(task, [])])
        with pytest.raises(InvalidInput):
            self.ledger.work(lambda tx: intake.create(tx, drafts, DEFAULTS, ""))

    @rule()
    def tick(self) -> None:
        room, expected = self.world.room, self.world.next_up()
        full = False

        def work(tx: Transaction) -> list[claims.Claimed]:
            nonlocal full
            claimed, full = claims.claim_ready(tx, self.place)
            return claimed

        assert self.claimed(work) == expected
        assert full == (len(expected) == room)

    @precondition(any_of(_startable))
    @rule(task=one_of(_startable))
    def execute(self, task: Task) -> None:
        assert self.claimed(_execute(task, self.place)) == [task]

    @precondition(any_of(_idle))
    @rule()
    def execute_all(self) -> None:
        idle = self.world.in_order(_idle(self.world))
        expected = [task for task in idle if task.free][: self.world.room]
        blocked: list[str] = []

        def work(tx: Transaction) -> list[claims.Claimed]:
            started, left = claims.execute_all(tx, self.place)
            blocked[:] = [task_id for task_id, reasons in left if reasons]
            return started

        assert self.claimed(work) == expected
        assert blocked == [task.id for task in idle if task not in expected]

    @precondition(any_of(_running))
    @rule(task=one_of(_running))
    def cancel_what_runs(self, task: Task) -> None:
        self.cancel(task)

    @precondition(any_of(_unfinished))
    @rule(task=one_of(_unfinished))
    def cancel(self, task: Task) -> None:
        new = not task.cancelling
        assert self.ledger.work(lambda tx: transitions.cancel(tx, task.id)) == new
        if new:
            self.world.cancel(task, self.clock.now_ms)

    @precondition(any_of(_retriable))
    @rule(task=one_of(_retriable), fresh=st.booleans())
    def retry(self, task: Task, fresh: bool) -> None:
        more = DEFAULTS.budget_cents  # an agent may have said that its budget is spent, and then it takes another
        self.ledger.work(lambda tx: retries.retry(tx, task.id, fresh, more))
        self.retried |= {revived.id for revived in self.world.retry(task, fresh)}

    @rule(task=one_of(_tasks))
    def ask_for_what_cannot_be(self, task: Task) -> None:
        if refusal := _no_execute(task, self.world.room):
            self.refused(refusal, _execute(task, self.place))
        if refusal := _no_retry(task):
            self.refused(refusal, lambda tx: retries.retry(tx, task.id, fresh=True))
        if task.status in ("completed", "failed"):
            self.refused("task_finished", lambda tx: transitions.cancel(tx, task.id))
        elif task.status == "cancelled":
            assert not self.ledger.work(lambda tx: transitions.cancel(tx, task.id))

    def _imagine(self, wanted: list[Wish]) -> list[Task]:
        new: list[Task] = []
        for wish in wanted:
            known = [task for task in self.world.tasks if task.status not in BROKEN] + new
            needs = list(dict.fromkeys(known[i % len(known)] for i in wish.after if known))
            name = f"t{len(self.world.tasks) + len(new)}"
            now, timeout = self.clock.now_ms, wish.minutes * 60_000
            new.append(Task(name, "", wish.priority, now, timeout, needs, wish.held, wish.attempts))
        return new


def _no_execute(task: Task, room: int) -> str | None:
    """Why a task cannot be executed."""
    if task.agent:
        return "task_running"
    if task.status != "pending":
        return "task_finished"
    return None if task.free and room else "blocked"


def _no_retry(task: Task) -> str | None:
    """Why a task cannot be retried."""
    if task.status == "completed":
        return "task_completed"
    if task.status not in BROKEN:
        return "task_not_finished"
    return "dependency_failed" if broken(task) else None


def _execute(task: Task, place: claims.Place) -> Callable[[Transaction], list[claims.Claimed]]:
    return lambda tx: [claims.execute(tx, task.id, place)]


def _spec(task: Task, batch: list[Task]) -> TaskIn:
    return TaskIn(
        prompt=f"do {task.name}",
        name=task.name,
        priority=task.priority,
        hold=task.held,
        max_attempts=task.max_attempts,
        timeout_minutes=task.timeout_ms / 60_000,
        depends_on=[needed.name if needed in batch else needed.id for needed in task.needs],
    )
