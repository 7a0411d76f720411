"""What the tasks and agents of a hub should be, said a second time and as plainly as it can be."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis.vendor.pretty import RepresentationPrinter

from swarm_api.words import LIVE, AgentStatus, Priority, ResultStatus, TaskStatus
from swarm_api.worker import LogReport, Report, ResultReport, UsageReport

HOUR_MS = 3_600_000
MARGIN_MS = 30_000  # what a worker has beyond its timeout
CANCEL_MS = 8_000  # what a worker has after a cancel
HOURS = {"high": -1, "normal": 0, "low": 1}
BROKEN = ("failed", "cancelled")
OUTCOME: dict[ResultStatus, TaskStatus] = {
    "success": "completed", "failure": "failed", "timeout": "failed", "budget": "failed", "cancelled": "cancelled",
}  # fmt: skip
CARRIER = ("worker_lost", "worker_stopped", "start_failed", "runtime_crashed", "out_of_memory")
"""Errors of what carries the work: another attempt may mend them."""


@dataclass(eq=False)
class Agent:
    """An attempt, its worker, and what the worker has said so far."""

    id: str
    task: "Task"
    attempt: int
    fresh: bool
    claimed_ms: int
    deadline_ms: int
    status: AgentStatus = "starting"
    started: bool = False  # the executor's receipt is stored
    released: bool = False  # the executor has nothing of it any more
    stop_ms: int | None = None
    begun: bool = False  # its worker has its order
    said: list[Report] = field(default_factory=list)  # numbered 1, 2, 3 …
    stored: int = 0
    cost: int = 0
    tokens: int = 0

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        printer.text(f"{self.task.name}/{self.attempt}")

    @property
    def live(self) -> bool:
        return self.status in LIVE

    def overdue(self, now_ms: int, since_ms: int) -> bool:
        """Whether the hub must end it by itself: not before its worker could reach a hub that was started again."""
        if self.stop_ms is not None and now_ms >= self.stop_ms + CANCEL_MS:
            return True
        return now_ms >= max(self.deadline_ms, since_ms + MARGIN_MS)


@dataclass(eq=False)
class Task:
    name: str
    id: str
    priority: Priority
    created_ms: int
    timeout_ms: int
    needs: list["Task"]
    held: bool
    max_attempts: int
    status: TaskStatus = "pending"
    code: str | None = None
    agents: list[Agent] = field(default_factory=list)
    tries: int = 0
    cancelling: bool = False
    fresh: bool = False
    session: str | None = None
    lines: list[str] = field(default_factory=list)
    tokens: Counter[str] = field(default_factory=Counter)
    cost: int = 0

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        printer.text(self.name)

    @property
    def agent(self) -> Agent | None:
        """Its live agent."""
        return next((agent for agent in self.agents if agent.live), None)

    @property
    def waiting_on(self) -> int:
        return sum(needed.status != "completed" for needed in self.needs)

    @property
    def ending(self) -> bool:
        """Whether something of an earlier attempt may still run."""
        return any(not agent.live and not agent.released for agent in self.agents)

    @property
    def idle(self) -> bool:
        return self.status == "pending" and self.agent is None

    @property
    def free(self) -> bool:
        """Whether it could start if there is room, were it not held."""
        return self.idle and not self.waiting_on and not self.ending

    @property
    def order(self) -> int:
        return self.created_ms + HOURS[self.priority] * HOUR_MS


class World:
    """All tasks in the order of their submission."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.tasks: list[Task] = []

    @property
    def agents(self) -> list[Agent]:
        return [agent for task in self.tasks for agent in task.agents]

    @property
    def live(self) -> list[Agent]:
        return [agent for agent in self.agents if agent.live]

    @property
    def room(self) -> int:
        return self.capacity - len(self.live)

    def next_up(self) -> list[Task]:
        """What starts at the next tick, in order."""
        return self.in_order(task for task in self.tasks if task.free and not task.held)[: self.room]

    def in_order(self, tasks: Iterable[Task]) -> list[Task]:
        """By age and priority; submitted earlier goes first among equals."""
        return sorted(tasks, key=lambda task: task.order)

    def claim(self, task: Task, agent_id: str, now_ms: int) -> None:
        deadline = now_ms + task.timeout_ms + MARGIN_MS
        task.agents.append(Agent(agent_id, task, len(task.agents) + 1, task.fresh, now_ms, deadline))
        task.tries += 1
        task.held = False

    def begin(self, agent: Agent, now_ms: int) -> None:
        agent.begun = True
        agent.status = "running"
        agent.deadline_ms = now_ms + agent.task.timeout_ms + MARGIN_MS
        task = agent.task
        task.status = "running"
        task.fresh = False
        if agent.fresh:
            task.session = None

    def settle(self, agent: Agent, status: ResultStatus, code: str | None) -> None:
        """An agent ends; its task with it, or it waits for another attempt."""
        task = agent.task
        if status == "cancelled" and not task.cancelling:
            status = "failure"  # nobody asked for it
        agent.status = "lost" if code in ("worker_lost", "start_failed") and not task.cancelling else "finished"
        if task.cancelling:
            self._finish(task, "cancelled", "cancelled" if status != "cancelled" else code)
        elif code in CARRIER and task.tries < task.max_attempts:
            task.status = "pending"
        else:
            self._finish(task, OUTCOME[status], code)

    def cancel(self, task: Task, now_ms: int) -> None:
        task.cancelling = True
        agent = task.agent
        if agent is None:
            self._finish(task, "cancelled", "cancelled")
        elif agent.status == "starting":
            self.settle(agent, "cancelled", "cancelled")
        else:
            agent.status = "stopping"
            agent.stop_ms = now_ms

    def retry(self, task: Task, fresh: bool) -> list[Task]:
        """It and those that were cancelled for its sake wait for another attempt; which."""
        task.held = False
        task.fresh = fresh
        self._revive(task)
        revived = [task]
        while left := [each for each in self.tasks if each.code == "dependency_failed" and not broken(each)]:
            for each in left:
                self._revive(each)
            revived += left
        return revived

    def hear(self, agent: Agent, reports: Iterable[Report]) -> None:
        """Reports reach the hub: those count that follow what is stored, up to the result."""
        for report in reports:
            if report.n != agent.stored + 1 or not agent.live:
                continue
            agent.stored += 1
            self._take(agent, report)

    def _take(self, agent: Agent, report: Report) -> None:
        task = agent.task
        if isinstance(report, LogReport):
            task.lines.append(report.text)
        elif isinstance(report, UsageReport):
            task.tokens[report.model] += report.input
            task.cost += report.cost_micro_usd
            agent.tokens += report.input
            agent.cost += report.cost_micro_usd
        elif isinstance(report, ResultReport):
            self.settle(agent, report.status, report.error_code)
        else:
            task.session = getattr(report, "session_id", None) or task.session

    def _finish(self, task: Task, status: TaskStatus, code: str | None) -> None:
        task.status = status
        task.code = code
        if status == "completed":
            return
        while left := [each for each in self.tasks if each.status == "pending" and broken(each)]:
            for each in left:
                each.status, each.code = "cancelled", "dependency_failed"

    def _revive(self, task: Task) -> None:
        task.status = "pending"
        task.code = None
        task.cancelling = False
        task.tries = 0


def broken(task: Task) -> bool:
    """Whether something it depends on has failed or was cancelled."""
    return any(needed.status in BROKEN for needed in task.needs)
