"""What is spent and set aside never passes a limit, and the books add up, whatever happens to hub and workers."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_it
from pydantic_core import from_json
from sqlalchemy import Table, select, text

from scheduler.ledger import Clock, template
from scheduler.ledger import Ledger as Database
from swarm_api.base import CENT
from swarm_api.budget import BudgetIn, LabelLimit
from swarm_api.tasks import Result, TaskIn
from swarm_api.words import LIVE
from swarm_hub import claims, endings, intake, retries, transitions
from swarm_hub.budgets.budgets import Budgets
from swarm_hub.budgets.limits import Limits, keep_limits
from swarm_hub.claims import Place
from swarm_hub.gateway.asked import Asked
from swarm_hub.gateway.ledger import Answered, Ledger
from swarm_hub.intake import Defaults
from swarm_hub.prices import Metered, Prices
from swarm_hub.store import schema
from swarm_hub.values import zone

CAPACITY = 6
PRICES = Prices.load()
MODEL = "claude-sonnet-4-5"
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
ENDS: dict[str, Callable[[], Any]] = {
    "success": lambda: Result(status="success"),
    "failure": lambda: transitions.failed("agent_failed", "it said so"),
    "crash": lambda: transitions.failed("runtime_crashed", "it is gone"),
    "timeout": lambda: transitions.failed("timeout", "too long", "timeout"),
    "cancelled": lambda: transitions.cancelled("a machine went down"),
}
picks = st.integers(0, 1_000)


class Turn(NamedTuple):
    """Of an agent: it asks, or is answered."""

    pick: int
    answers: bool
    size: int
    answer: int
    used: float
    cached: bool
    whole: bool
    status: int


turns = st.builds(
    Turn, picks, st.booleans(), st.sampled_from([10, 1_000, 5_000, 20_000]), st.integers(1, 3_000) | st.just(40_000),
    st.sampled_from([1.0, 0.5, 0.01]), st.booleans(), st.booleans(), st.sampled_from([200, 200, 529]),
)  # fmt: skip


class Fleet(RuleBasedStateMachine):
    """Agents that call a model, a hub that dies and comes back, and days that end."""

    empty: Path

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.database = Database(self.empty, self.clock)
        self.open_calls: dict[str, Asked] = {}
        self.settled: list[tuple[str, Asked]] = []
        self.calls = 0

    def teardown(self) -> None:
        self.database.remove()

    @initialize(where=st.sampled_from(["UTC", "America/Santiago", "Asia/Kathmandu"]), daily=st.integers(10, 120))
    def open_the_hub(self, where: str, daily: int) -> None:
        self.budgets = Budgets(zone(where), Limits(daily, daily * 3))
        self.place = Place("local", None, CAPACITY, self.budgets)
        self.ledger = Ledger(PRICES, self.budgets)
        labels = [LabelLimit(label="team=web", limit_cents=max(1, daily // 2)),
                  LabelLimit(label="team=app", limit_cents=daily, period="week")]  # fmt: skip
        self.work(lambda tx: keep_limits(tx, self.budgets.environment, BudgetIn(labels=labels)))

    @rule(teams=st.lists(st.sampled_from(["web", "app", None]), min_size=1, max_size=6), cents=st.integers(0, 40))
    def submit(self, teams: list[str | None], cents: int) -> None:
        specs = [
            TaskIn(prompt="work", budget_cents=cents, max_attempts=2, labels={"team": team} if team else {})
            for team in teams
        ]
        drafts = intake.draft(specs)
        self.work(lambda tx: intake.create(tx, drafts, Defaults(60, 500), ""))

    @rule()
    def tick(self) -> None:
        self.work(lambda tx: claims.claim_ready(tx, self.place))

    @rule(turns=st.lists(turns, min_size=2, max_size=12))
    def work_for_a_while(self, turns: list[Turn]) -> None:
        """Agents ask and are answered, in any order; some calls stay open."""
        self.tick()
        for turn in turns:
            if self.open_calls and (turn.answers or not self.live):
                self.answer(turn)
            elif self.live:
                self.ask(turn)

    def ask(self, turn: Turn) -> None:
        agent = self.live[turn.pick % len(self.live)]
        self.calls += 1
        call_id, asked = f"call-{self.calls}", Asked(MODEL, turn.answer, turn.size, guessed_tokens=turn.size // 2)
        opened = self.work(lambda tx: self.ledger.open(tx, call_id, agent.id, asked, shorten=turn.cached))
        if isinstance(opened, Asked):
            self.open_calls[call_id] = opened
        elif opened == "no_room":
            self.work(lambda tx: self.ledger.give_up(tx, agent.id))

    def answer(self, turn: Turn) -> None:
        """No answer uses more than was asked for; many use all of it."""
        call_id, asked = list(self.open_calls.items())[turn.pick % len(self.open_calls)]
        prompt, output = int(asked.input_tokens * turn.used), int(asked.max_tokens * turn.used)
        usage = Metered(cache_write_1h=prompt, output=output) if turn.cached else Metered(input=prompt, output=output)
        answered = Answered(usage, turn.whole, None, 200) if turn.status == 200 else Answered(status=turn.status)
        self.work(lambda tx: self.ledger.settle(tx, call_id, asked, answered))
        self.settled.append((call_id, self.open_calls.pop(call_id)))

    @rule(pick=picks)
    @precondition(lambda self: self.settled)
    def answer_again(self, pick: int) -> None:
        """Each call counts once."""
        call_id, asked = self.settled[pick % len(self.settled)]
        self.work(lambda tx: self.ledger.settle(tx, call_id, asked, Answered(Metered(input=9), True, None, 200)))

    @rule(pick=picks, how=st.sampled_from([*ENDS, "lost"]), leaves=st.booleans())
    @precondition(lambda self: self.live)
    def end(self, pick: int, how: str, leaves: bool) -> None:
        """With its calls still open, often."""
        agent = self.live[pick % len(self.live)]
        if how == "lost":
            self.work(lambda tx: endings.lose(tx, agent.id, "worker_lost", "its process is gone"))
        else:
            self.work(lambda tx: transitions.settle(tx, transitions.load_agent(tx, agent.id), ENDS[how]()))
        if leaves:
            self.leave()

    @rule()
    def leave(self) -> None:
        for agent in self.agents:
            if agent.status not in LIVE and not agent.released:
                self.work(lambda tx, row=agent: endings.release(tx, row.id, row.handle, PRICES))  # type: ignore[misc]

    @rule(pick=picks, more=st.integers(1, 20))
    def retry(self, pick: int, more: int) -> None:
        done = [row for row in self.tasks if row.status in ("failed", "cancelled")]
        if done:
            task = done[pick % len(done)]
            budget = -(-task.cost_micro_usd // CENT) + more
            self.work(lambda tx: retries.retry(tx, task.id, fresh=False, budget_cents=budget))

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        running = [row for row in self.tasks if row.status in ("pending", "running")]
        if running:
            self.work(lambda tx: transitions.cancel(tx, running[pick % len(running)].id))

    @rule(ms=st.sampled_from([1_000, 20 * MINUTE_MS, 7 * 60 * MINUTE_MS, DAY_MS, 3 * DAY_MS]))
    def wait(self, ms: int) -> None:
        self.clock.now_ms += ms

    @rule(more=st.integers(1, 30))
    def raise_the_limits(self, more: int) -> None:
        now = self.budgets.limits(self.database.connection)
        wish = BudgetIn(daily_cents=now.daily_cents + more, weekly_cents=now.weekly_cents + more)
        self.work(lambda tx: keep_limits(tx, self.budgets.environment, wish))

    @rule(away=st.sampled_from([0, MINUTE_MS, DAY_MS]))
    def kill_the_hub(self, away: int) -> None:
        """Whatever it had forwarded counts as the most that it could cost."""
        self.clock.now_ms += away
        self.database.restart()
        assert self.work(self.ledger.settle_left_open) == len(self.open_calls)
        self.settled += self.open_calls.items()
        self.open_calls.clear()

    @invariant()
    def no_limit_is_passed(self) -> None:
        if self.calls or self.live:
            for line in self.budgets.lines(self.database.connection, self.clock.now_ms):
                assert line.spent + line.reserved <= line.limit, line

    @invariant()
    def no_task_spends_more_than_its_budget(self) -> None:
        assert all(row.cost_micro_usd <= row.budget_micro_usd for row in self.tasks)

    @invariant()
    def the_books_add_up(self) -> None:
        of_calls: Counter[str] = Counter()
        for row in self.database.rows(schema.model_calls):
            of_calls[row.task_id] += row.cost_micro_usd
        of_agents: Counter[str] = Counter()
        for row in self.agents:
            of_agents[row.task_id] += row.cost_micro_usd
        of_tasks = Counter({row.id: row.cost_micro_usd for row in self.tasks})
        assert +of_tasks == +of_calls == +of_agents
        spent: Counter[str] = Counter()
        for row in self.database.rows(schema.spent):
            spent[row.label] += row.micro_usd
        for label in ("web", "app"):
            mine = [row for row in self.tasks if from_json(row.spec)["labels"].get("team") == label]
            assert spent[f"team={label}"] == sum(row.cost_micro_usd for row in mine)
        assert spent[""] == of_tasks.total()

    @invariant()
    def what_is_set_aside_is_what_agents_may_still_spend(self) -> None:
        held: Counter[str] = Counter()
        for row in self.database.rows(schema.model_calls):
            if row.ended_ms is None:
                held[row.agent_id] += row.hold_micro_usd
        for row in self.agents:
            assert row.held_micro_usd == held[row.id]
            if row.status in LIVE:
                task = next(task for task in self.tasks if task.id == row.task_id)
                assert row.reserved_micro_usd == task.budget_micro_usd - task.cost_micro_usd
            else:
                assert row.reserved_micro_usd == held[row.id]

    @property
    def agents(self) -> list[Any]:
        return self._rows(schema.agents)

    @property
    def live(self) -> list[Any]:
        return [row for row in self.agents if row.status in LIVE]

    @property
    def tasks(self) -> list[Any]:
        return self._rows(schema.tasks)

    def _rows(self, table: Table) -> list[Any]:
        """In the order of their making: ids are drawn."""
        return list(self.database.connection.execute(select(table).order_by(text("rowid"))).all())

    def work(self, work: Callable[[Any], Any]) -> Any:
        return self.database.work(work)


def test_a_budget_is_never_passed_and_nothing_is_lost_from_the_books(tmp_path: Path) -> None:
    class FleetHere(Fleet):
        empty = template(tmp_path)

    run_it(FleetHere, settings=settings(max_examples=80, stateful_step_count=50, deadline=None))
