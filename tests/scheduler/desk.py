"""The hub's transactions by plain verbs, for tests that tell one story."""

from pathlib import Path
from typing import Any

from scheduler.ledger import Clock, Ledger, template
from scheduler.money import DEFAULTS, PRICES, RICH
from swarm_api.tasks import TaskIn
from swarm_api.words import ResultStatus
from swarm_api.worker import ProgressReport, ResultReport, Upstream, WorkOrder
from swarm_hub import claims, endings, intake, retries, transitions
from swarm_hub.claims import Place
from swarm_hub.ingest import ingest
from swarm_hub.orders import claim_order
from swarm_hub.reports import Reports
from swarm_hub.settings import Settings
from swarm_hub.store import schema

SINCE_EVER = 0


class Desk:
    """Tasks are called by their names; an agent is meant by its task."""

    def __init__(self, folder: Path, capacity: int = 10) -> None:
        self.clock = Clock()
        self.ledger = Ledger(template(folder), self.clock)
        self.place = Place("local", None, capacity, RICH)
        self._ids: dict[str, str] = {}

    def submit(self, name: str, *needs: str, **fields: Any) -> None:
        spec = TaskIn(prompt=f"do {name}", name=name, depends_on=[self._ids[needed] for needed in needs], **fields)
        drafts = intake.draft([spec])
        self.ledger.work(lambda tx: intake.create(tx, drafts, DEFAULTS, ""))
        self._ids[name] = drafts[0].id

    def tick(self) -> list[str]:
        """Which tasks were claimed, in order."""
        claimed, _full = self.ledger.work(lambda tx: claims.claim_ready(tx, self.place))
        tasks = {row.agent_id: row.name for row in self.ledger.rows(schema.tasks)}
        return [tasks[claim.agent_id] for claim in claimed]

    def execute(self, name: str) -> None:
        self.ledger.work(lambda tx: claims.execute(tx, self._ids[name], self.place))

    def begin(self, name: str) -> WorkOrder:
        """The worker of a task takes its order."""
        agent_id = self.task(name).agent_id
        return self.ledger.work(lambda tx: claim_order(tx, agent_id, "the-only-worker", Settings(), Upstream()))

    def run(self, name: str) -> WorkOrder:
        self.execute(name)
        return self.begin(name)

    def report_session(self, name: str, session: str) -> None:
        agent = self.agent(name)
        report = ProgressReport(n=agent.stored_n + 1, session_id=session)
        self.ledger.work(lambda tx: ingest(tx, agent.id, Reports(reports=[report]), RICH))

    def end(self, name: str, status: ResultStatus = "success", code: str | None = None) -> None:
        """The worker of a task reports its end and goes."""
        agent = self.agent(name)
        report = ResultReport(n=agent.stored_n + 1, status=status, error_code=code)
        self.ledger.work(lambda tx: ingest(tx, agent.id, Reports(reports=[report]), RICH))
        self.release(name)

    def release(self, name: str) -> None:
        agent = self.agent(name)
        self.ledger.work(lambda tx: endings.release(tx, agent.id, agent.handle, PRICES))

    def fail_to_start(self, name: str) -> None:
        agent_id = self.task(name).agent_id
        self.ledger.work(lambda tx: endings.never_started(tx, agent_id, "there is no room", PRICES))

    def end_overdue(self, name: str, since_ms: int = SINCE_EVER) -> None:
        agent_id = self.task(name).agent_id
        self.ledger.work(lambda tx: endings.end_overdue(tx, agent_id, since_ms))

    def fail(self, name: str) -> None:
        """Run a task to a failure."""
        self.run(name)
        self.end(name, "failure", "agent_failed")

    def cancel(self, name: str) -> None:
        self.ledger.work(lambda tx: transitions.cancel(tx, self._ids[name]))

    def retry(self, name: str, fresh: bool = False) -> None:
        self.ledger.work(lambda tx: retries.retry(tx, self._ids[name], fresh))

    def wait(self, seconds: float) -> None:
        self.clock.now_ms += round(seconds * 1000)

    def task(self, name: str) -> Any:
        return next(row for row in self.ledger.rows(schema.tasks) if row.name == name)

    def agent(self, name: str) -> Any:
        """The newest of a task."""
        agent_id = self.task(name).agent_id
        return next(row for row in self.ledger.rows(schema.agents) if row.id == agent_id)

    def status(self, name: str) -> str:
        return str(self.task(name).status)
