"""What a piece of work may do inside the writer: read, change, and add to the journal."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from pydantic_core import to_json
from sqlalchemy import Connection, CursorResult, Dialect, Executable, Table, bindparam, insert

from swarm_api.words import EventType
from swarm_hub.about import NOBODY, REQUEST_ID
from swarm_hub.store import schema
from swarm_hub.store.entries import Entry, event_entry

Row = dict[str, Any]


class Reads(Protocol):
    """What queries run on: a snapshot, or a transaction under way."""

    def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[Any]: ...


class Notices:
    """What followers must hear of once it is durable."""

    def __init__(self) -> None:
        self.events: list[Entry] = []
        self.requests: dict[int, str] = {}  # which caused an event, where one did; by the event's number
        self.lines: dict[str, list[Row]] = defaultdict(list)  # by task
        self.controls: set[str] = set()  # agents with something new to do, or that are no longer current
        self.ready = False  # a task may have become ready
        self.freed = False  # an agent has ended, or a limit moved, so that there may be room for another
        self.deliveries = False  # the hub has a branch to deliver
        self.money = False  # what is spent, set aside or allowed has changed


class Transaction:
    """Several pieces of work share one commit; each is all or nothing by its own savepoint.

    Rows that are only added wait in memory until somebody reads or the group commits: a group of submissions is two
    statements, however many there are. Sequence numbers need no database: there is one writer.
    """

    def __init__(self, connection: Connection, now_ms: int, last_seq: int) -> None:
        self._connection = connection
        self._added: list[tuple[Table, Row]] = []
        self._mark = 0
        self._savepoint = False
        self.now_ms = now_ms
        self.last_seq = last_seq
        self.notices = Notices()

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a statement; it sees everything added before."""
        if not self._savepoint:
            self._flush(self._mark)
            self._mark = 0
            self._connection.exec_driver_sql("SAVEPOINT work")
            self._savepoint = True
        self._flush(len(self._added))
        return self._connection.execute(statement, parameters)

    def add(self, table: Table, row: Row) -> None:
        self._added.append((table, row))

    def event(self, type_: EventType, task_id: str | None, payload: Mapping[str, Any]) -> int:
        """Append an event to the journal, about a task unless it is about all of them; its number."""
        self.last_seq += 1
        body = to_json(payload if task_id is None else {"taskId": task_id, **payload})
        self.add(
            schema.events,
            {"seq": self.last_seq, "type": type_, "task_id": task_id, "payload": body.decode(), "at_ms": self.now_ms},
        )
        if (request := REQUEST_ID.get()) != NOBODY:
            self.notices.requests[self.last_seq] = request
        self.notices.events.append(event_entry(self.last_seq, type_, task_id, body, self.now_ms))
        return self.last_seq

    def line(self, row: Row) -> None:
        """Append a line to a task's log. The caller numbers it."""
        self.add(schema.log_lines, row)
        self.notices.lines[row["task_id"]].append(row)

    def tell(self, agent_id: str) -> None:
        """Wake the agent's waiting call: there is control for it, or it is no longer current."""
        self.notices.controls.add(agent_id)

    # The writer's side.

    def begin_work(self) -> "Work":
        self._mark = len(self._added)
        self._savepoint = False
        return Work(self.last_seq, len(self.notices.events), {k: len(v) for k, v in self.notices.lines.items()})

    def end_work(self) -> None:
        if self._savepoint:
            self._connection.exec_driver_sql("RELEASE work")

    def undo_work(self, work: "Work") -> None:
        if self._savepoint:
            self._connection.exec_driver_sql("ROLLBACK TO work")
            self._connection.exec_driver_sql("RELEASE work")
        del self._added[self._mark :]
        self.last_seq = work.last_seq
        for undone in self.notices.events[work.events :]:
            self.notices.requests.pop(undone.seq, None)
        del self.notices.events[work.events :]
        for task_id, lines in self.notices.lines.items():
            del lines[work.lines.get(task_id, 0) :]

    def flush(self) -> None:
        self._flush(len(self._added))

    def _flush(self, count: int) -> None:
        by_table: dict[Table, list[Row]] = {}
        for table, row in self._added[:count]:
            by_table.setdefault(table, []).append(row)
        del self._added[:count]
        for table, rows in by_table.items():
            statement, columns = _insert(table, self._connection.dialect)
            self._connection.exec_driver_sql(statement, [tuple(row[name] for name in columns) for row in rows])


@cache
def _insert(table: Table, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """The text of an insert, compiled once: half of what it costs to have SQLAlchemy do it for each group."""
    given: dict[str, Any] = {
        column.name: bindparam(column.name) for column in table.c if column.autoincrement is not True
    }
    compiled = insert(table).values(given).compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


class Work:
    """Where a piece of work began, so that it can be undone without the others."""

    def __init__(self, last_seq: int, events: int, lines: dict[str, int]) -> None:
        self.last_seq = last_seq
        self.events = events
        self.lines = lines
