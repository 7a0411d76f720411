"""What the hub tells Prometheus: what is in its database, and what it counted since it started.

Names follow https://prometheus.io/docs/practices/naming/; the dashboard in `deploy/grafana` is made of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from sqlalchemy import Connection, func, select

from swarm_api import __version__
from swarm_api.agents import Queue
from swarm_api.words import LIVE
from swarm_hub.budgets.budgets import Budgets
from swarm_hub.budgets.lines import Line
from swarm_hub.budgets.outlook import Outlook
from swarm_hub.counts import CallCounts, Counts, Durations
from swarm_hub.find import newest_seq
from swarm_hub.queue import look_at_queue
from swarm_hub.store import schema

MICRO = 1_000_000
t, a, s = schema.tasks.c, schema.agents.c, schema.spent.c
_STATUSES = ("pending", "running", "completed", "failed", "cancelled")
Labels = tuple[str, ...]


class Facts(NamedTuple):
    """What the database knows. Amounts are micro-dollars; `lines`: the limits that hold."""

    tasks: Mapping[str, int]
    agents: Mapping[str, int]
    queue: Queue
    spent: int
    lines: list[Line]
    seq: int


class Counted(NamedTuple):
    """What this process counted. `refused`: credentials, by reason."""

    work: Counts
    calls: CallCounts
    refused: Mapping[str, int]


def read_facts(connection: Connection, budgets: Budgets, capacity: int, now_ms: int, outlook: Outlook) -> Facts:
    tasks: Any = connection.execute(select(t.status, func.count()).group_by(t.status)).all()
    live = select(a.status, func.count()).where(a.released == 0, a.status.in_(LIVE)).group_by(a.status)
    agents: Any = connection.execute(live).all()
    spent = select(func.coalesce(func.sum(s.micro_usd), 0)).where(s.label == "")
    return Facts(
        {**dict.fromkeys(_STATUSES, 0), **dict(tasks)},
        {**dict.fromkeys(LIVE, 0), **dict(agents)},
        look_at_queue(connection, capacity, now_ms, outlook),
        connection.execute(spent).scalar_one(),
        budgets.lines(connection, now_ms),
        newest_seq(connection),
    )


def exposition(facts: Facts, counted: Counted) -> bytes:
    """Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Hub(facts, counted))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Hub:
    def __init__(self, facts: Facts, counted: Counted) -> None:
        self._facts = facts
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("swarm_hub", "The hub.", {"version": __version__})
        yield from _work(self._facts, self._counted.work)
        yield from _money(self._facts)
        yield from _calls(self._counted.calls)
        yield from _requests(self._counted)


def _work(facts: Facts, work: Counts) -> Iterator[Metric]:
    queue = facts.queue
    yield _gauge("swarm_tasks", "Tasks by status.", "status", facts.tasks.items())
    yield _gauge("swarm_agents", "Agents that are starting, running or stopping.", "status", facts.agents.items())
    yield GaugeMetricFamily("swarm_agents_capacity", "Agents that may run at once.", queue.capacity)
    yield GaugeMetricFamily("swarm_queue_ready", "Tasks that wait for nothing but their turn.", queue.ready)
    yield _gauge("swarm_queue_blocked", "Tasks that wait, once for each reason.", "reason", queue.blocked.items())
    yield GaugeMetricFamily(
        "swarm_queue_oldest_ready_seconds", "How long ago the oldest task that is ready was submitted.",
        queue.oldest_ready_seconds,
    )  # fmt: skip
    yield CounterMetricFamily("swarm_events", "Events in the journal.", facts.seq)
    types = (((type_,), count) for type_, count in work.events.items())
    yield _counter("swarm_events_by_type", "Events since the hub started.", ("type",), types)
    durations = (((status,), lasted) for status, lasted in work.durations.items())
    yield _histogram(
        "swarm_task_duration_seconds", "From a task's first start to its end, by how it ended.", ("status",), durations
    )  # fmt: skip


def _money(facts: Facts) -> Iterator[Metric]:
    yield CounterMetricFamily("swarm_spent_usd", "Dollars spent on the model.", facts.spent / MICRO)
    for name, meaning, amount in _AMOUNTS:
        lines = ((line.label or line.scope, getattr(line, amount) / MICRO) for line in facts.lines)
        yield _gauge(f"swarm_budget_{name}_usd", meaning, "limit", lines)


_AMOUNTS = (
    ("limit", "Dollars that may be spent: of the day, the week, and of labels.", "limit"),
    ("spent", "Dollars spent of each limit.", "spent"),
    ("reserved", "Dollars of each limit that are set aside for agents.", "reserved"),
)


def _calls(calls: CallCounts) -> Iterator[Metric]:
    statuses = (((status,), count) for status, count in calls.statuses.items())
    yield _counter(
        "swarm_model_calls", "Calls to the model by the status of the answer, none where none came.", ("status",),
        statuses,
    )  # fmt: skip
    yield _counter(
        "swarm_model_tokens", "Tokens that calls to the model used, as it reported them.", ("model", "kind"),
        calls.tokens.items(),
    )  # fmt: skip
    refused = (((kind,), count) for kind, count in calls.refused.items())
    yield _counter("swarm_model_refused", "Calls that the gateway itself refused.", ("kind",), refused)
    yield _histogram(
        "swarm_model_call_duration_seconds", "From a call to the model to the end of its answer.", (),
        [((), calls.durations)],
    )  # fmt: skip
    yield _histogram(
        "swarm_model_first_piece_seconds", "From a call to the model to the first piece of its answer.", (),
        [((), calls.first)],
    )  # fmt: skip


def _requests(counted: Counted) -> Iterator[Metric]:
    requests = (((route, str(status)), count) for (route, status), count in counted.work.requests.items())
    yield _counter("swarm_http_requests", "Requests by route and status of the answer.", ("route", "status"), requests)
    refused = (((reason,), count) for reason, count in counted.refused.items())
    yield _counter("swarm_credentials_refused", "Requests whose credential was refused.", ("reason",), refused)


def _gauge(name: str, meaning: str, label: str, values: Iterable[tuple[str, Any]]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for of, value in values:
        family.add_metric([of], value)
    return family


def _counter(name: str, meaning: str, labels: Labels, values: Iterable[tuple[Labels, int]]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family


def _histogram(name: str, meaning: str, labels: Labels, values: Iterable[tuple[Labels, Durations]]) -> Metric:
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for of, lasted in values:
        family.add_metric(of, [(_bound(bound), count) for bound, count in lasted.up_to()], lasted.sum)
    return family


def _bound(seconds: float) -> str:
    return "+Inf" if seconds == float("inf") else f"{seconds:g}"
