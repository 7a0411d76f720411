"""What must hold after every commit, each by its name."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis.stateful import invariant, precondition
from pydantic_core import from_json

from scheduler.model import BROKEN
from scheduler.states import CAPACITY, States
from swarm_api.words import FINISHED, LIVE
from swarm_hub.budgets.outlook import Outlook
from swarm_hub.queue import look_at_queue
from swarm_hub.store import schema

SAID = {  # what the newest event of a task says about its status, and about whether it has a live agent
    "task_created": ("pending", False),
    "agent_spawned": ("pending", True),
    "task_started": ("running", True),
    "task_retried": ("pending", False),
    "task_completed": ("completed", False),
    "task_failed": ("failed", False),
    "task_cancelled": ("cancelled", False),
}


class Stored:
    """The tables as they are after a commit."""

    def __init__(self, states: States) -> None:
        rows = states.ledger.rows
        self.tasks: Mapping[str, Any] = {row.id: row for row in rows(schema.tasks)}
        self.agents: Sequence[Any] = rows(schema.agents)
        self.events: Sequence[Any] = rows(schema.events)
        self.lines: Sequence[Any] = rows(schema.log_lines)
        self.needs: dict[str, list[Any]] = defaultdict(list)
        for row in rows(schema.dependencies):
            self.needs[row.task_id].append(self.tasks[row.depends_on])


committed = precondition(lambda states: not states.ledger.grouping)


class Laws(States):
    _stored: tuple[int, Stored] | None = None
    _finished: Mapping[str, Any] = {}

    @property
    def stored(self) -> Stored:
        """Read once after each commit."""
        commits = self.ledger.commits
        if self._stored is None or self._stored[0] != commits:
            self._stored = (commits, Stored(self))
        return self._stored[1]

    @committed
    @invariant()
    def tasks_and_agents_are_as_the_model_says(self) -> None:
        tasks = {
            row.id: (row.status, row.live, row.attempts, row.tries, row.hold, row.fresh)
            for row in self.stored.tasks.values()
        }
        assert tasks == {
            task.id: (task.status, task.agent is not None, len(task.agents), task.tries, task.held, task.fresh)
            for task in self.world.tasks
        }
        agents = {row.id: (row.task_id, row.status, row.stored_n, row.released) for row in self.stored.agents}
        assert agents == {
            agent.id: (agent.task.id, agent.status, agent.stored, agent.released) for agent in self.world.agents
        }

    @committed
    @invariant()
    def at_most_as_many_agents_live_as_there_is_room_for(self) -> None:
        assert sum(row.status in LIVE for row in self.stored.agents) <= CAPACITY

    @committed
    @invariant()
    def a_task_has_at_most_one_live_agent_and_it_is_its_newest(self) -> None:
        live = [(row.task_id, row.id) for row in self.stored.agents if row.status in LIVE]
        assert sorted(live) == sorted((row.id, row.agent_id) for row in self.stored.tasks.values() if row.live)

    @committed
    @invariant()
    def no_agent_begins_while_something_of_an_earlier_one_may_run(self) -> None:
        unreleased = Counter(row.task_id for row in self.stored.agents if not row.released)
        assert all(count == 1 for count in unreleased.values())

    @committed
    @invariant()
    def nothing_has_started_before_what_it_depends_on_completed(self) -> None:
        for row in self.stored.agents:
            assert all(needed.status == "completed" for needed in self.stored.needs[row.task_id])

    @committed
    @invariant()
    def a_task_is_cancelled_for_its_dependencies_as_long_as_one_is_broken(self) -> None:
        for row in self.stored.tasks.values():
            broken = any(needed.status in BROKEN for needed in self.stored.needs[row.id])
            assert row.status == "cancelled" or not broken
            assert broken or _code(row) != "dependency_failed"

    @committed
    @invariant()
    def a_held_task_has_no_agent(self) -> None:
        assert not any(row.live for row in self.stored.tasks.values() if row.hold)

    @committed
    @invariant()
    def attempts_stay_within_their_limit(self) -> None:
        assert all(row.tries <= from_json(row.spec)["maxAttempts"] for row in self.stored.tasks.values())

    @committed
    @invariant()
    def a_cancel_that_was_accepted_wins(self) -> None:
        cancelled = [task for task in self.world.tasks if task.cancelling]
        for task in cancelled:
            row = self.stored.tasks[task.id]
            assert row.status == "cancelled" or (row.status == "running" and row.live)

    @committed
    @invariant()
    def what_is_finished_stays_as_it_is_until_it_is_retried(self) -> None:
        now = {id_: row for id_, row in self.stored.tasks.items() if row.status in FINISHED}
        for id_, row in self._finished.items():
            assert now.get(id_) == row or id_ in self.retried
        self.retried.clear()
        self._finished = now

    @committed
    @invariant()
    def the_journal_has_every_number_once(self) -> None:
        numbers = list(range(1, self.ledger.last_seq + 1))
        assert [row.seq for row in self.stored.events] == numbers
        assert [entry.seq for entry in self.ledger.published] == numbers

    @committed
    @invariant()
    def the_newest_event_of_a_task_agrees_with_it(self) -> None:
        newest = {row.task_id: row for row in self.stored.events}
        assert newest.keys() == self.stored.tasks.keys()
        for row in self.stored.tasks.values():
            assert row.seq == newest[row.id].seq
            assert SAID[newest[row.id].type] == (row.status, bool(row.live))

    @committed
    @invariant()
    def a_log_has_every_line_once_and_in_order(self) -> None:
        lines: dict[str, list[tuple[int, str]]] = {task.id: [] for task in self.world.tasks}
        for row in self.stored.lines:
            lines[row.task_id].append((row.seq, row.text))
        assert lines == {task.id: list(enumerate(task.lines, 1)) for task in self.world.tasks}
        assert all(self.stored.tasks[id_].log_seq == len(log) for id_, log in lines.items())

    @committed
    @invariant()
    def usage_and_cost_are_the_sum_of_what_was_reported(self) -> None:
        for task in self.world.tasks:
            row = self.stored.tasks[task.id]
            usage = from_json(row.usage or '{"input": 0, "byModel": {}}')
            by_model = {model: of_model["input"] for model, of_model in usage["byModel"].items()}
            assert (row.cost_micro_usd, usage["input"]) == (task.cost, task.tokens.total())
            assert by_model == task.tokens
            assert sum(of_model["costMicroUsd"] for of_model in usage["byModel"].values()) == task.cost
        costs = {row.id: row.cost_micro_usd for row in self.stored.agents}
        assert costs == {agent.id: agent.cost for agent in self.world.agents}

    @committed
    @invariant()
    def a_pending_task_knows_how_many_it_waits_for(self) -> None:
        for row in self.stored.tasks.values():
            waiting = sum(needed.status != "completed" for needed in self.stored.needs[row.id])
            assert row.status != "pending" or row.waiting_on == waiting

    @committed
    @invariant()
    def the_queue_adds_up(self) -> None:
        queue = look_at_queue(self.ledger.connection, CAPACITY, self.clock.now_ms, Outlook([]))
        idle = [task for task in self.world.tasks if task.idle]
        ready = [task for task in idle if not task.held and not task.waiting_on]
        oldest = max((self.clock.now_ms - task.created_ms for task in ready), default=0)
        assert (queue.pending, queue.ready, queue.running) == (len(idle), len(ready), len(self.world.live))
        assert queue.blocked == {
            "hold": sum(task.held for task in idle),
            "dependency": sum(task.waiting_on > 0 for task in idle),
            "budget": 0,
            "usage_limit": 0,
            "capacity": 0,
        }
        assert queue.by_priority == {
            priority: sum(task.priority == priority for task in idle) for priority in ("high", "normal", "low")
        }
        assert queue.oldest_ready_seconds == oldest // 1000
        assert queue.seq == self.ledger.last_seq


def _code(row: Any) -> str | None:
    error = from_json(row.result)["error"] if row.result else None
    return str(error["code"]) if error else None
