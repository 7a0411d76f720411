"""What a hub counts of its own doing since it started, for whoever watches over it."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from sqlalchemy import Connection, select

from swarm_api.words import EVENT_TYPES
from swarm_hub.gateway.ledger import Answered
from swarm_hub.gateway.refusals import Kind
from swarm_hub.spent import TOKENS
from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices

MODELS = 50  # that are counted apart: agents may ask for what they like
OTHERS = "other"
ENDS = {"task_completed": "completed", "task_failed": "failed", "task_cancelled": "cancelled"}
t = schema.tasks.c


class Durations:
    """How many lasted how long, in seconds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.sum = 0.0
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.sum += seconds

    def up_to(self) -> Iterator[tuple[float, int]]:
        """How many lasted so long at most, for each bound, the last of them without end."""
        total = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            total += count
            yield bound, total


def _minutes() -> Durations:
    return Durations((10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400))


def _seconds() -> Durations:
    return Durations((0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320))


@dataclass(frozen=True)
class CallCounts:
    """Of calls to the model. Tokens are by model and kind."""

    statuses: Counter[str] = field(default_factory=Counter)
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(
        default_factory=lambda: Counter(dict.fromkeys(get_args(Kind), 0))
    )  # by the hub itself, for reasons of its own
    durations: Durations = field(default_factory=_seconds)
    first: Durations = field(default_factory=_seconds)  # to the first piece of an answer

    def answered(self, answered: Answered, seconds: float) -> None:
        self.statuses[str(answered.status)] += 1
        self.durations.add(seconds)
        if answered.first_ms is not None:
            self.first.add(answered.first_ms / 1000)
        for kind in TOKENS:
            if amount := getattr(answered.usage, kind):
                self.tokens[self._model(answered.model or OTHERS), kind] += amount

    def unanswered(self) -> None:
        self.statuses["none"] += 1

    def _model(self, model: str) -> str:
        known = {name for name, _ in self.tokens}
        return model if model in known or len(known) < MODELS else OTHERS


class Counts:
    """Of requests by route and status, of events by type, and of how long tasks worked by how they ended."""

    def __init__(self, store: Store, begun: Mapping[str, int]) -> None:
        """`begun`: when the tasks that have started did, in milliseconds since the epoch."""
        self.requests: Counter[tuple[str, int]] = Counter()
        self.events: Counter[str] = Counter(
            dict.fromkeys(sorted(EVENT_TYPES), 0)
        )  # the first of a kind is a change, too
        self.durations = {status: _minutes() for status in ENDS.values()}
        self._begun = dict(begun)
        self._store = store
        store.listen(self._hear)

    @classmethod
    async def of(cls, store: Store) -> "Counts":
        return cls(store, await store.read(_begun))

    def _hear(self, notices: Notices) -> None:
        for event in notices.events:
            self.events[event.type] += 1
            if event.task_id is None:
                continue
            if event.type == "task_started":
                self._begun.setdefault(event.task_id, self._store.now_ms())
            elif event.type in ENDS and (begun := self._begun.pop(event.task_id, None)) is not None:
                self.durations[ENDS[event.type]].add(max(0, self._store.now_ms() - begun) / 1000)


def _begun(connection: Connection) -> dict[str, int]:
    rows: Any = connection.execute(select(t.id, t.started_ms).where(t.status == "running")).all()
    return dict(rows)
