"""The DuckDB file: made anew when it is missing, broken or of another version; changed only by whole `Changes`."""

import hashlib
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from swarm_hub.analytics.files import ANSWERS, DATABASE, SPILL, discard
from swarm_hub.analytics.rows import Row
from swarm_hub.analytics.source import Changes, Cursor, Left
from swarm_hub.analytics.tables import WITH_PARTS, ddl
from swarm_hub.archive.parts import EVENTS as PARTS
from swarm_hub.archive.parts import NONE
from swarm_hub.archive.program import COLUMNS

log = logging.getLogger(__name__)

MAPPING = 2  # counted up when rows are made in another way from the same database
MEMORY = "128MB"
DISK = "512MB"  # for what does not fit there
_APPENDED = {"events": "kept.events", "notices": "kept.notices", "metered": "kept.metered",
             "tool_starts": "kept.tool_starts", "tool_ends": "kept.tool_ends"}  # fmt: skip
_REPLACED = {"tasks": "tasks", "labels": "labels", "dependencies": "dependencies", "agents": "agents",
             "reported": "kept.reported"}  # fmt: skip


class Projection:
    """Open with `Projection.open`. One thread applies; others ask through connections of their own."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, answers: Path) -> None:
        self.answers = answers
        self._connection = connection
        self._seen: dict[str, Row] = {}
        self._recent: Sequence[Row] = ()
        self.cursor, self.left = self._read_state()

    @classmethod
    def open(cls, folder: Path, time_zone: str, archive: Path) -> "Projection":
        """The projection of a folder, whose `answers` are what questions may be answered into.

        What cannot be opened is thrown away: all of it is in the hub's database, and in the `archive`.
        """
        answers = folder / ANSWERS
        shutil.rmtree(answers, ignore_errors=True)
        answers.mkdir(mode=0o700, parents=True)
        connection = _existing(folder, version(time_zone))
        if connection is None:
            discard(folder)
            connection = _connect(folder)
            _create(connection, time_zone)
        _attach(connection, archive)
        _lock(connection, [answers, archive], time_zone)
        return cls(connection, answers)

    def apply(self, changes: Changes) -> bool:
        """Take in what came after this cursor, all or nothing; False when that was taken in already.

        Raises `duckdb.Error`; nothing is changed then.
        """
        if changes.since != self.cursor:
            return False
        connection = self._connection
        connection.begin()
        try:
            for name, table in _APPENDED.items():
                _append(connection, table, getattr(changes, name))
            written = self._replace(changes)
            self._add_volume(changes.log_volume)
            self._replace_spending(changes.spending)
            self._write_state(changes)
            connection.commit()
        except BaseException:
            self._recent = ()
            connection.rollback()
            raise
        self._seen = written
        self.cursor, self.left = changes.until, changes.left
        return True

    def log_heads(self, task_ids: Iterable[str]) -> dict[str, int]:
        """The last log line seen of each task."""
        query = "SELECT task_id, log_lines FROM tasks WHERE task_id IN (SELECT unnest(?))"
        return dict(self._connection.execute(query, [list(task_ids)]).fetchall())

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Another connection, as locked as the rest."""
        return self._connection.cursor()

    def close(self) -> None:
        self._connection.close()

    def _replace(self, changes: Changes) -> dict[str, Row]:
        """Write the tasks that are not as they were, with all that is theirs; what is written of live ones."""
        of_tasks = {name: _by_task(name, getattr(changes, name)) for name in _REPLACED}
        ids = {row[0] for row in changes.tasks}
        whole = {id_: tuple(tuple(of_tasks[name].get(id_, ())) for name in _REPLACED) for id_ in ids}
        changed = [id_ for id_ in ids if self._seen.get(id_) != whole[id_]]
        if changed:
            for name, table in _REPLACED.items():
                where = "task_id IN (SELECT unnest(?))"
                self._connection.execute(f"DELETE FROM {table} WHERE {where}", [changed])
                _append(self._connection, table, [row for id_ in changed for row in of_tasks[name].get(id_, ())])
        return whole

    def _add_volume(self, more: Sequence[Row]) -> None:
        if not more:
            return
        ids = list({row[0] for row in more})
        old = self._connection.execute(
            "DELETE FROM log_volume WHERE task_id IN (SELECT unnest(?))"
            " RETURNING task_id, agent_id, stream, epoch_ms(hour), lines, characters", [ids],
        ).fetchall()  # fmt: skip
        sums: dict[Row, list[int]] = {}
        for *key, lines, characters in (*old, *more):
            total = sums.setdefault(tuple(key), [0, 0])
            total[0] += lines
            total[1] += characters
        rows = [(*key[:3], datetime.fromtimestamp(key[3] / 1000, UTC), *total) for key, total in sums.items()]
        _append(self._connection, "log_volume", rows)

    def _replace_spending(self, recent: Sequence[Row]) -> None:
        if recent and recent != self._recent:
            self._connection.execute("DELETE FROM spending WHERE quarter >= ?", [recent[0][0]])
            _append(self._connection, "spending", recent)
            self._recent = recent

    def _write_state(self, changes: Changes) -> None:
        until, left = changes.until, changes.left
        self._connection.execute(
            "UPDATE kept.state SET generation = ?, seq = ?, call_place = ?, quarter = ?, anchor = ?, gap = ?",
            [until.generation, until.seq, until.call_place, until.quarter, until.anchor, until.gap],
        )
        if left == self.left:
            return
        self._connection.execute("DELETE FROM kept.open_calls")
        self._connection.execute("DELETE FROM kept.tasks_left")
        _append(self._connection, "kept.open_calls", [(place,) for place in left.open_calls])
        _append(self._connection, "kept.tasks_left", [(task_id,) for task_id in left.tasks])

    def _read_state(self) -> tuple[Cursor, Left]:
        state = "SELECT generation, seq, call_place, quarter, anchor, gap FROM kept.state"
        calls = self._connection.execute("SELECT place FROM kept.open_calls ORDER BY ALL").fetchall()
        tasks = self._connection.execute("SELECT task_id FROM kept.tasks_left ORDER BY ALL").fetchall()
        left = Left([place for (place,) in calls], [task_id for (task_id,) in tasks])
        return Cursor(*self._connection.execute(state).fetchall()[0]), left


def _existing(folder: Path, wanted: str) -> duckdb.DuckDBPyConnection | None:
    """What is there already, if it can be opened and is of this version."""
    if not (folder / DATABASE).exists():
        return None
    try:
        connection = _connect(folder)
    except duckdb.Error as error:
        log.warning("the projection cannot be opened and is made again: %s", str(error).splitlines()[0])
        return None
    try:
        found = connection.execute("SELECT version FROM kept.state").fetchall()
    except duckdb.Error:
        found = []
    if found == [(wanted,)]:
        return connection
    connection.close()
    log.warning("the projection is of another version and is made again")
    return None


def version(time_zone: str) -> str:
    """Another one whenever the same database would give other rows."""
    return hashlib.sha256(repr((ddl(), MAPPING, time_zone)).encode()).hexdigest()[:16]


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(folder / DATABASE), config={
        "memory_limit": MEMORY, "threads": "1", "temp_directory": str(folder / SPILL),
        "max_temp_directory_size": DISK, "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false", "allow_community_extensions": "false",
    })  # fmt: skip


def _attach(connection: duckdb.DuckDBPyConnection, archive: Path) -> None:
    """Let `events` show the archive's, too. A new part takes the place of what is here from the moment it is there."""
    archive.mkdir(mode=0o700, exist_ok=True)
    none = _quoted(str(archive / NONE))
    connection.execute(f"CREATE TEMP TABLE none ({COLUMNS})")
    connection.execute(f"COPY none TO {none} (FORMAT parquet)")
    connection.execute("DROP TABLE none")
    parts = f"read_parquet({_quoted(str(archive / PARTS))})"
    for view in WITH_PARTS:
        connection.execute(view.format(parts=parts))
    for table in ("kept.events", "kept.notices"):
        connection.execute(f"DELETE FROM {table} WHERE seq <= (SELECT max(seq) FROM {parts})")


def _lock(connection: duckdb.DuckDBPyConnection, folders: Sequence[Path], time_zone: str) -> None:
    """From here on no statement reads or writes a file but below the folders, and none changes a setting."""
    connection.execute(f"SET GLOBAL TimeZone = {_quoted(time_zone)}")
    connection.execute(f"SET allowed_directories = [{', '.join(_quoted(str(folder)) for folder in folders)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _create(connection: duckdb.DuckDBPyConnection, time_zone: str) -> None:
    connection.begin()
    for statement in ddl():
        connection.execute(statement)
    connection.execute("INSERT INTO kept.state VALUES (?, ?, 0, 0, 0, 0, '', 0)", [version(time_zone), time_zone])
    connection.commit()


def _append(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    with connection.appender(table) as appender:
        appender.append_rows(rows)


def _by_task(name: str, rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    at = 1 if name in ("agents", "reported") else 0  # where the task's id is
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[at], []).append(row)
    return grouped


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
