"""What is known of the tasks that run, wait or have just ended, from snapshots and from what was heard since."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from swarm_api.agents import Agent
from swarm_api.budget import Budget
from swarm_api.tasks import Task
from swarm_api.words import FINISHED

MOST = 200  # rows
ENDED = 25  # of them, that have ended


@dataclass(frozen=True)
class Row:
    """A task as it is shown. Seconds and micro-dollars; `turns` and `tokens` so far, of its newest agent."""

    task: Task
    turns: int
    tokens: int
    cost_micro_usd: int
    seconds: float | None

    @property
    def cancellable(self) -> bool:
        return self.task.status not in FINISHED

    @property
    def retryable(self) -> bool:
        return self.task.status in ("failed", "cancelled")


@dataclass
class Board:
    """`listed`: tasks that were under way when they were last counted; `left_out`: those of them that have no row."""

    budget: Budget | None = None
    listed: int = 0
    left_out: int = 0
    _tasks: dict[str, Task] = field(default_factory=dict)
    _agents: dict[str, Agent] = field(default_factory=dict)  # by task

    def begin(self, active: Iterable[Task], ended: Iterable[Task]) -> None:
        """Forget all that was known."""
        self._tasks = {task.id: task for task in (*active, *ended)}
        self._agents.clear()

    def put(self, task: Task) -> None:
        """An older word about a task than the last one changes nothing."""
        known = self._tasks.get(task.id)
        if known is None or task.seq >= known.seq:
            self._tasks[task.id] = task

    def see(self, agents: Iterable[Agent]) -> None:
        """All agents that live now."""
        self._agents = {agent.current_task: agent for agent in agents if agent.current_task}

    def known(self, ids: Iterable[str]) -> set[str]:
        """Those that are among what is kept."""
        return {id_ for id_ in ids if id_ in self._tasks}

    @property
    def active(self) -> bool:
        return any(task.status == "running" for task in self._tasks.values())

    def rows(self, now: datetime) -> list[Row]:
        """Running ones first, then those that wait, then those that ended last; the newest of each first."""
        running = self._of("running")
        waiting = self._of("pending")
        ended = sorted((task for task in self._tasks.values() if task.status in FINISHED), key=_ended, reverse=True)
        kept = [*[*running, *waiting][:MOST], *ended[:ENDED]][:MOST]
        under_way = len(running) + len(waiting)
        self.left_out = max(under_way, self.listed if self.listed > MOST else 0) - min(MOST, under_way)
        self._tasks = {task.id: task for task in (*running, *waiting, *ended[:MOST])}
        return [self._row(task, now) for task in kept]

    def _of(self, status: str) -> list[Task]:
        return sorted((task for task in self._tasks.values() if task.status == status), key=_begun, reverse=True)

    def _row(self, task: Task, now: datetime) -> Row:
        agent = self._agents.get(task.id) if task.status == "running" else None
        end = task.finished_at or now
        return Row(
            task,
            turns=agent.progress.turns if agent else task.result.turns if task.result else 0,
            tokens=_tokens(task, agent),
            cost_micro_usd=max(task.cost_micro_usd, agent.cost_micro_usd if agent else 0),
            seconds=max(0.0, (end - task.started_at).total_seconds()) if task.started_at else None,
        )


def _tokens(task: Task, agent: Agent | None) -> int:
    if agent is not None:
        used = agent.tokens_used
        return used.input + used.output + used.cache_read + used.cache_write
    all_ = task.usage
    return all_.input + all_.output + all_.cache_read + all_.cache_write_5m + all_.cache_write_1h


def _begun(task: Task) -> tuple[datetime, str]:
    return task.started_at or task.created_at, task.id


def _ended(task: Task) -> tuple[datetime, str]:
    return task.finished_at or task.created_at, task.id
