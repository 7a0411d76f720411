"""What the hub keeps: durable when acknowledged, whatever the disk does, and readable by the versions to come."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from hub.disks import Disk, disk
from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from hub.reporting import numbered, texts
from hub.starting import CONFIG, assert_refused, refused_start
from hubs import HubProcess
from swarm_hub.store.database import MIGRATIONS

__all__ = ["disk"]  # the fixture

OLD_TASK = "tsk_0d4eq1nv01baw3bv"
SPEC = (
    '{"type": "code", "model": "sonnet", "priority": "normal", "repo": null, "baseRef": null, "dependsOn": [], '
    '"name": "old", "context": null, "timeoutMinutes": 60, "maxAttempts": 1, "maxTurns": null, "tier": "standard", '
    '"hold": true, "deliver": "branch", "push": false, "verify": null, "labels": {}, "repoSettings": "none"}'
)


async def submit_until_refused(hub: PlayedHub, prompt: str) -> list[str]:
    """The ids of the tasks that were acknowledged before the disk was full."""
    taken = []
    while (answer := await hub.post("/api/tasks", {"prompt": prompt, "hold": True})).status_code == 201:
        taken.append(answer.json()["id"])
    assert_problem(answer, 503, "storage_failed")
    assert answer.headers["retry-after"]
    return taken


async def fill(hub: PlayedHub, disk: Disk) -> list[str]:
    """Fill the disk to the last page; what fitted into the last pages of the hub's own files is acknowledged."""
    disk.fill()
    taken = await submit_until_refused(hub, "x" * 50_000)
    return taken + await submit_until_refused(hub, "Go")


async def ids(hub: PlayedHub) -> set[str]:
    return {task.id async for task in hub.client.all_tasks()}


async def test_on_a_full_disk_nothing_is_acknowledged_and_nothing_acknowledged_is_lost(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        taken = [(await hub.client.submit({"prompt": "before", "hold": True})).id]
        taken += await fill(hub, disk)
        assert await ids(hub) == set(taken)
    disk.free()
    async with played_hub(disk.folder) as hub:
        assert await ids(hub) == set(taken)


async def test_with_space_freed_the_hub_goes_on_by_itself(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        taken = await fill(hub, disk)
        disk.free()
        task = await hub.client.submit({"prompt": "after", "hold": True})
        assert await ids(hub) == {*taken, task.id}


async def test_a_refused_submission_is_no_event_and_leaves_no_gap(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        await fill(hub, disk)
        disk.free()
        task = await hub.client.submit({"prompt": "after", "hold": True})
        seqs = [event.seq for event in (await hub.client.event_history(limit=1_000)).events]
        assert seqs == list(range(task.seq, 0, -1))


async def test_a_full_disk_shows_in_the_hubs_health(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        assert (await hub.client.health()).status == "ok"
        await fill(hub, disk)
        answer = await hub.get("/health")
        assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
        assert (await hub.get("/health/live")).status_code == 200
        disk.free()
        assert (await hub.client.health()).status == "ok"


async def test_a_worker_sends_again_what_a_full_disk_refused(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        task, worker = await hub.running()
        await fill(hub, disk)
        lines = [{**line, "text": "x" * 30_000} for line in numbered(*range(1, 101))]
        assert_problem(await worker.send(lines), 503, "storage_failed")
        disk.free()
        assert (await worker.send(numbered(*range(1, 101)))).json()["stored"] == 100
        assert await texts(hub, task.id) == [str(n) for n in range(1, 101)]


def test_what_could_not_be_stored_is_in_the_log_with_the_id_of_its_request(disk: Disk, tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir = disk.folder / "data"
    hub.start()
    disk.fill()
    body, named = {"prompt": "x" * 50_000, "hold": True}, {"X-Request-Id": "mine-1"}
    with httpx.Client(base_url=hub.url, trust_env=False) as http:
        while http.post("/api/tasks", json=body, headers=named).status_code == 201:
            pass
    hub.stop()
    lines = [json.loads(line) for line in hub.log.read_text().splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["requestId"] == "mine-1"]
    assert (line["level"], line["logger"]) == ("warning", "swarm_hub.problems")
    assert "full" in line["message"]


def test_a_full_disk_at_the_start_is_said_in_one_line(disk: Disk, tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir = disk.folder / "data"
    environment = hub.environment
    disk.fill()
    refusal = refused_start(environment)
    assert refusal.code in (CONFIG, 75)
    assert len(refusal.said) == 1, refusal.said
    assert "space" in refusal.said[0] or "full" in refusal.said[0]


def test_a_disk_that_is_full_when_a_hub_starts_again_is_said_in_one_line(disk: Disk, tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir = disk.folder / "data"
    hub.start()
    hub.kill()
    disk.fill()
    refusal = refused_start(hub.environment)
    assert refusal.code in (CONFIG, 75)
    assert len(refusal.said) == 1, refusal.said


def test_a_read_only_data_folder_is_said_in_one_line(disk: Disk, tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir = disk.folder / "data"
    hub.start()
    hub.stop()
    disk.make_read_only()
    assert_refused(hub.environment, CONFIG, "SWARM_DATA_DIR", str(hub.data_dir), "Read-only file system")


def test_a_data_folder_that_is_a_file_is_said_in_one_line(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir.write_text("not a folder")
    assert_refused(hub.environment, CONFIG, "SWARM_DATA_DIR", str(hub.data_dir))


# Databases of other versions


@contextmanager
def database(data: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(data / "hub.db")) as connection, connection:
        yield connection


def make_old_database(data: Path) -> None:
    """As the first version left it, with a task that waits and one that has ended."""
    data.mkdir(mode=0o700)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{data / 'hub.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
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
