"""The rows of a history on their way into the hub's database: in the journal's one order, and in large pieces."""

import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, Table, insert

from swarm_hub.budgets.spans import quarter
from swarm_hub.sample.played import Moment, Played
from swarm_hub.sample.work import Row
from swarm_hub.store import schema

AT_ONCE = 100_000  # rows that wait in memory, about
_ORDER = (
    schema.tasks, schema.labels, schema.dependencies, schema.agents, schema.events, schema.model_calls,
    schema.log_lines, schema.controls, schema.spent,
)  # fmt: skip


@dataclass
class _Story:
    """A task of which some events are still to come."""

    played: Played
    to_come: int


@dataclass
class Writing:
    """Takes tasks as they are played. What is before `reach` gets its place in the journal and is written."""

    connection: Connection
    logs: bool
    seq: int = 0
    _drawn: int = 0
    _heap: list[tuple[int, int, Moment, _Story]] = field(default_factory=list)
    _rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    _waiting: int = 0
    _spent: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    def take(self, played: Played) -> None:
        story = _Story(played, len(played.moments))
        for moment in played.moments:
            self._drawn += 1
            heapq.heappush(self._heap, (moment.at_ms, self._drawn, moment, story))
        self._spend(played)

    def reach(self, at_ms: int) -> None:
        """Nothing that is taken from here on happens before `at_ms`."""
        while self._heap and self._heap[0][0] < at_ms:
            _, _, moment, story = heapq.heappop(self._heap)
            self._tell(moment, story)
        for past in sorted(each for each in self._spent if each < quarter(at_ms)):
            self._add(schema.spent, [
                {"quarter": past, "label": label, "micro_usd": micro_usd}
                for label, micro_usd in self._spent.pop(past).items()
            ])  # fmt: skip
        if self._waiting >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """One transaction with all that waits."""
        self.connection.exec_driver_sql("BEGIN")
        for table in _ORDER:
            if rows := self._rows.pop(table.name, None):
                self.connection.execute(insert(table), rows)
        self.connection.exec_driver_sql("COMMIT")
        self._waiting = 0

    def _tell(self, moment: Moment, story: _Story) -> None:
        self.seq += 1
        task = story.played.task
        payload = to_json(moment.payload, by_alias=True).decode()
        self._add(schema.events, [{
            "seq": self.seq, "type": moment.type, "task_id": task["id"], "payload": payload, "at_ms": moment.at_ms,
        }])  # fmt: skip
        task["seq"] = self.seq
        story.to_come -= 1
        if not story.to_come:
            self._keep(story.played)

    def _keep(self, played: Played) -> None:
        id_ = played.task["id"]
        self._add(schema.tasks, [played.task if self.logs else {**played.task, "log_seq": 0}])
        labels = played.wish.spec.labels.items()
        self._add(schema.labels, [{"task_id": id_, "key": key, "value": value} for key, value in labels])
        self._add(schema.dependencies, [{"task_id": id_, "depends_on": other} for other in played.depends_on])
        self._add(schema.agents, played.agents)
        self._add(schema.model_calls, played.calls)
        self._add(schema.log_lines, played.lines if self.logs else [])
        self._add(schema.controls, played.controls)

    def _spend(self, played: Played) -> None:
        labels = ("", *(f"{key}={value}" for key, value in played.wish.spec.labels.items()))
        for call in played.calls:
            if call["cost_micro_usd"]:
                of_quarter = self._spent[quarter(call["ended_ms"])]
                for label in labels:
                    of_quarter[label] += call["cost_micro_usd"]

    def _add(self, table: Table, rows: list[Mapping[str, Any]] | list[Row]) -> None:
        self._rows[table.name] += rows  # type: ignore[arg-type]
        self._waiting += len(rows)
