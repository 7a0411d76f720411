"""The database: of this version or brought up to it, and refused in one line when it cannot be used."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from hub.older import make_database
from hub.played import played_hub
from hub.reporting import texts
from hub.starting import CONFIG, assert_refused
from hubs import HubProcess
from swarm_hub.store import schema

OLD_TASK = "tsk_0d4eq1nv01baw3bv"
SPEC = (
    '{"type": "code", "model": "sonnet", "priority": "normal", "repo": null, "baseRef": null, "dependsOn": [], '
    '"name": "old", "context": null, "timeoutMinutes": 60, "maxAttempts": 1, "maxTurns": null, "tier": "standard", '
    '"hold": true, "deliver": "branch", "push": false, "verify": null, "labels": {}, "repoSettings": "none"}'
)


@pytest.mark.parametrize("name", ["a b", "a?b", "a#b", "a%20b", "ünï 日本", "a'b", 'a"b', ":memory:"])
async def test_a_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    async with played_hub(folder) as hub:
        await hub.client.submit({"prompt": "Go", "hold": True})
    assert (folder / "data" / "hub.db").stat().st_size > 0
    async with played_hub(folder) as hub:
        assert (await hub.client.tasks()).total == 1


@contextmanager
def database(data: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(data / "hub.db")) as connection, connection:
        yield connection


def make_old_database(data: Path) -> None:
    """As the first version left it, with a task that waits and one that has ended."""
    make_database(data, "0001")
    row = {
        "id": OLD_TASK, "spec": SPEC, "prompt": "an old one", "name": "old", "status": "pending", "type": "code",
        "model": "sonnet", "priority": "normal", "repo": None, "hold": 1, "waiting_on": 0, "rank": 1, "live": 0,
        "agent_id": None, "attempts": 0, "tries": 0, "fresh": 0, "cancel_ms": None, "cause": None, "session_id": None,
        "log_seq": 1, "usage": None, "cost_micro_usd": 0, "result": None, "seq": 1, "created_ms": 1_790_000_000_000,
        "started_ms": None, "finished_ms": None,
    }  # fmt: skip
    names, marks = ",".join(row), ",".join("?" * len(row))
    with database(data) as db:
        db.execute(f"INSERT INTO tasks ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608  # our own names
        db.execute(
            "INSERT INTO events VALUES (1, 'task_created', ?, ?, 1790000000000)",
            [OLD_TASK, f'{{"taskId":"{OLD_TASK}"}}'],
        )
        db.execute(
            "INSERT INTO log_lines VALUES (?, 1, 'local-agent-00000000', 'agent', 'hello', 1790000000000, 5, NULL)",
            [OLD_TASK],
        )


async def test_an_older_database_is_brought_up_to_date_with_all_that_is_in_it(tmp_path: Path) -> None:
    make_old_database(tmp_path / "data")
    async with played_hub(tmp_path) as hub:
        task = await hub.client.task(OLD_TASK)
        assert (task.prompt, task.status, task.name) == ("an old one", "pending", "old")
        assert await texts(hub, OLD_TASK) == ["hello"]
        assert [event.type for event in (await hub.client.event_history(task_id=OLD_TASK)).events] == ["task_created"]
        first = await hub.post("/api/tasks", {"prompt": "new", "hold": True}, **{"Idempotency-Key": "k"})
        assert (first.status_code, first.json()["seq"]) == (201, 2)
        await hub.client.execute(OLD_TASK)
        await (await hub.worker(OLD_TASK)).claim()


async def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    make_old_database(tmp_path / "data")
    async with played_hub(tmp_path):
        pass
    engine = create_engine(f"sqlite:///{tmp_path / 'data' / 'hub.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()


async def test_a_database_is_brought_up_to_date_once(tmp_path: Path) -> None:
    make_old_database(tmp_path / "data")
    for _ in range(2):
        async with played_hub(tmp_path) as hub:
            assert (await hub.client.tasks()).total == 1


def test_a_newer_database_is_refused_in_one_line_and_left_as_it_is(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.start()
    hub.stop()
    with database(hub.data_dir) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    before = (hub.data_dir / "hub.db").read_bytes()
    assert_refused(hub.environment, CONFIG, str(hub.data_dir / "hub.db"), "newer", "9999")
    assert (hub.data_dir / "hub.db").read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir.mkdir()
    (hub.data_dir / "hub.db").write_bytes(content)
    assert_refused(hub.environment, CONFIG, str(hub.data_dir / "hub.db"))
