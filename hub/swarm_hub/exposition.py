"""What the hub tells Prometheus: its own counts, read when it is asked."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from sqlalchemy import Connection, func, select

from swarm_api import __version__
from swarm_api.words import LIVE
from swarm_hub.budgets.budgets import Budgets
from swarm_hub.budgets.lines import Line
from swarm_hub.find import newest_seq
from swarm_hub.store import schema

MICRO = 1_000_000
t, a, s = schema.tasks.c, schema.agents.c, schema.spent.c
_STATUSES = ("pending", "running", "completed", "failed", "cancelled")


class Facts(NamedTuple):
    """Amounts are micro-dollars; `lines`: the limits that hold."""

    tasks: Mapping[str, int]
    agents: Mapping[str, int]
    spent: int
    lines: list[Line]
    seq: int


def read_facts(connection: Connection, budgets: Budgets, now_ms: int) -> Facts:
    tasks: Any = connection.execute(select(t.status, func.count()).group_by(t.status)).all()
    live = select(a.status, func.count()).where(a.released == 0, a.status.in_(LIVE)).group_by(a.status)
    agents: Any = connection.execute(live).all()
    spent = select(func.coalesce(func.sum(s.micro_usd), 0)).where(s.label == "")
    return Facts(
        {**dict.fromkeys(_STATUSES, 0), **dict(tasks)},
        {**dict.fromkeys(LIVE, 0), **dict(agents)},
        connection.execute(spent).scalar_one(),
        budgets.lines(connection, now_ms),
        newest_seq(connection),
    )


def exposition(facts: Facts, capacity: int) -> bytes:
    """Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Hub(facts, capacity))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Hub:
    def __init__(self, facts: Facts, capacity: int) -> None:
        self._facts = facts
        self._capacity = capacity

    def collect(self) -> Iterator[Metric]:
        facts = self._facts
        yield InfoMetricFamily("swarm_hub", "The hub.", {"version": __version__})
        yield _gauge("swarm_tasks", "Tasks by status.", "status", facts.tasks.items())
        yield _gauge("swarm_agents", "Agents that are starting, running or stopping.", "status", facts.agents.items())
        yield GaugeMetricFamily("swarm_agents_capacity", "Agents that may run at once.", self._capacity)
        yield CounterMetricFamily("swarm_events", "Events in the journal.", facts.seq)
        yield CounterMetricFamily("swarm_spent_usd", "Dollars spent on the model.", facts.spent / MICRO)
        for name, meaning, amount in _AMOUNTS:
            lines = ((line.label or line.scope, getattr(line, amount) / MICRO) for line in facts.lines)
            yield _gauge(f"swarm_budget_{name}_usd", meaning, "limit", lines)


_AMOUNTS = (
    ("limit", "Dollars that may be spent: of the day, the week, and of labels.", "limit"),
    ("spent", "Dollars spent of each limit.", "spent"),
    ("reserved", "Dollars of each limit that are set aside for agents.", "reserved"),
)


def _gauge(name: str, meaning: str, label: str, values: Iterable[tuple[str, Any]]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for of, value in values:
        family.add_metric([of], value)
    return family
