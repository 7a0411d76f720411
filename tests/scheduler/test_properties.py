"""The scheduler as a set of properties, held against the real store through any mixture of what can happen."""

from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from scheduler.clients import Clients, Wish, wishes
from scheduler.laws import Laws, committed
from scheduler.ledger import template
from scheduler.model import Task
from scheduler.money import DEFAULTS
from scheduler.states import any_of, one_of
from scheduler.workers import Turn, Workers, turns
from swarm_api.tasks import TaskIn
from swarm_api.worker import ResultReport
from swarm_hub import claims, endings, intake, transitions

ENOUGH = 8  # tasks, or works, to make a story of
SECONDS = [0.001, 1.0, 8.0, 60.0, 91.0, 3_600.0, 7_200.001]


class Hub(Clients, Workers, Laws):
    """Clients and workers, the passing of time, commits that are shared, works that fail, and hubs that die."""

    @rule(rounds=st.lists(st.lists(turns, max_size=3), min_size=1, max_size=4))
    def run_for_a_while(self, rounds: list[list[Turn]]) -> None:
        for each in rounds:
            self.look_around()
            self.tick()
            self.work(each)

    @committed
    @rule(seconds=st.sampled_from(SECONDS), look=st.booleans())
    def wait(self, seconds: float, look: bool) -> None:
        self.clock.now_ms += round(seconds * 1000)
        if look:
            self.look_around()

    @precondition(lambda self: self.world.live and not self.ledger.grouping)
    @rule()
    def gather_what_follows_in_one_commit(self) -> None:
        self.gather()

    @precondition(lambda self: self.ledger.grouping)
    @rule()
    def commit(self) -> None:
        self.ledger.commit()

    @precondition(lambda self: self.ledger.works > self.works_before + ENOUGH)
    @rule(away=st.sampled_from(SECONDS), back=st.sampled_from(SECONDS))
    def die_and_start_again(self, away: float, back: float) -> None:
        self.start_hub_again(round(away * 1000))
        self.wait(back, look=True)

    @precondition(any_of(lambda world: world.live))
    @rule(wanted=st.lists(wishes, min_size=1, max_size=2), task=one_of(lambda world: world.tasks))
    def fail_at_the_end_of_any_work(self, wanted: list[Wish], task: Task) -> None:
        """What shares the commit with it stays."""
        alone = not self.ledger.grouping
        if alone:
            self.gather()
        self.submit(wanted)
        self._fail(task)
        if alone:
            self.ledger.commit()

    def _fail(self, task: Task) -> None:
        spec = TaskIn(prompt="never seen")
        self.undone(lambda tx: intake.create(tx, intake.draft([spec]), DEFAULTS, ""))
        self.undone(lambda tx: claims.claim_ready(tx, self.place))
        self.undone(lambda tx: claims.execute_all(tx, self.place))
        if task.agent:
            agent_id = task.agent.id
            self.undone(lambda tx: endings.lose(tx, agent_id, "worker_lost", "its process is gone"))
        if task.status == "pending":
            self.undone(lambda tx: transitions.cancel(tx, task.id))

    @precondition(lambda self: len(self.world.tasks) >= ENOUGH and not self.ledger.grouping)
    @rule()
    def let_everything_end(self) -> None:
        """Nothing starves: when agents end, all that is ready starts, whatever was before."""
        for _ in range(2 * len(self.world.tasks) + 1):
            for agent in self.world.live:
                if not agent.begun:
                    self.take_the_order(agent)
                self.report(agent, [ResultReport(status="success")], "what is new", heard=True)
            for agent in self.world.agents:
                if not agent.released:
                    self.release(agent)
            self.tick()
        left = [task for task in self.world.tasks if task.status == "pending"]
        assert all(task.held or task.waiting_on for task in left)


def test_the_scheduler_keeps_its_laws(tmp_path: Path) -> None:
    class HubHere(Hub):
        empty = template(tmp_path)

    run_state_machine_as_test(HubHere, settings=settings(max_examples=120, stateful_step_count=40, deadline=None))
