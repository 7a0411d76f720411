"""The process behind the questions may die and its file break: the hub goes on, nothing is lost or counted twice."""

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest

from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_api.worker import LogReport, UsageReport
from waiting import until

SUMS = "SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM events), (SELECT sum(lines) FROM log_volume)," \
       " (SELECT sum(cost_micro_usd) FROM usage), (SELECT count(*) FROM tool_calls)"  # fmt: skip


async def test_no_process_is_there_before_the_first_question(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        assert _processes(hub) == []
        assert "analytics" not in (await hub.client.health()).checks
        await hub.client.query("SELECT 1")
        assert len(_processes(hub)) == 1
        assert (await hub.client.health()).checks["analytics"] == "ok"


async def test_it_ends_with_the_hub_and_is_there_again_with_the_next(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        await hub.client.query("SELECT 1")
        (first,) = _processes(hub)
    assert not first.is_running()
    async with played_hub(tmp_path) as hub:
        await until(lambda: _processes(hub))


async def test_its_environment_holds_nothing_of_the_hubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-a-canary")
    async with played_hub(tmp_path) as hub:
        await hub.client.query("SELECT 1")
        (process,) = _processes(hub)
        assert process.environ().keys() <= {
            "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZDIR", "PYTHONSAFEPATH", "PYTHONUNBUFFERED", "MALLOC_ARENA_MAX",
        }  # fmt: skip
        assert process.nice() == 5


async def test_what_happens_is_there_to_be_asked_within_two_seconds(tmp_path: Path) -> None:
    """Without a question that would hurry it: the file itself is looked at."""
    async with played_hub(tmp_path) as hub:
        await hub.client.query("SELECT 1")
        task = await hub.client.submit({"prompt": "Now", "hold": True})
        (process,) = _processes(hub)
        wal = tmp_path / "data" / "analytics" / "swarm.duckdb.wal"
        began = time.monotonic()
        await until(lambda: task.id.encode() in wal.read_bytes())
        assert time.monotonic() - began < 2
        assert process.is_running()


async def test_killed_at_random_it_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    draw = random.Random(7)  # noqa: S311  # no secret
    async with played_hub(tmp_path, max_parallel_agents=50) as hub:
        await hub.client.query("SELECT 1")
        for round_ in range(12):
            _, worker = await hub.running(labels={"round": str(round_)})
            await worker.report(*_some_reports())
            if draw.random() < 0.7:
                for process in _processes(hub):
                    process.kill()
            if draw.random() < 0.5:
                await worker.finish()
        assert (await hub.client.query(SUMS)).rows == [_naive(tmp_path)]
        await hub.client.rebuild_analytics()
        assert (await hub.client.query(SUMS)).rows == [_naive(tmp_path)]


@pytest.mark.parametrize("damage", ["garbage", "nothing", "garbage in the middle", "garbage in the log", "deleted"])
async def test_a_file_that_broke_is_made_again(tmp_path: Path, damage: str) -> None:
    async with played_hub(tmp_path) as hub:
        _, worker = await hub.running()
        await worker.report(*_some_reports())
        expected = (await hub.client.query(SUMS)).rows
    _break(tmp_path / "data" / "analytics" / "swarm.duckdb", damage)
    async with played_hub(tmp_path) as hub:
        assert (await hub.client.health()).status == "ok"
        assert (await hub.client.query(SUMS)).rows == expected == [_naive(tmp_path)]


async def test_a_backup_of_the_hubs_database_is_told_from_it(tmp_path: Path) -> None:
    """What came after the backup was made is no longer there, and what comes now has the same numbers."""
    async with played_hub(tmp_path) as hub:
        await hub.client.submit({"prompt": "One", "hold": True})
    backup = (tmp_path / "data" / "hub.db").read_bytes()
    async with played_hub(tmp_path) as hub:
        await hub.client.submit({"prompt": "Two", "hold": True, "name": "two"})
        assert (await hub.client.query("SELECT max(name) FROM tasks")).rows == [["two"]]
    (tmp_path / "data" / "hub.db").write_bytes(backup)
    async with played_hub(tmp_path) as hub:
        await hub.client.submit({"prompt": "Three", "hold": True, "name": "three"})
        assert (await hub.client.query("SELECT count(*), max(name) FROM tasks")).rows == [[2, "three"]]


async def test_another_time_zone_has_other_days(tmp_path: Path) -> None:
    for name in ("Pacific/Kiritimati", "Pacific/Niue"):
        async with played_hub(tmp_path, time_zone=ZoneInfo(name)) as hub:
            assert (await hub.client.query("SELECT time_zone FROM projection")).rows == [[name]]


async def test_a_process_that_cannot_start_is_told_of_and_hurts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm_hub.analytics.child.sys.executable", "/nowhere/python")
    monkeypatch.setattr("swarm_hub.analytics.analytics.START", 0.1)
    async with played_hub(tmp_path) as hub:
        assert_problem(await hub.post("/api/query", {"sql": "SELECT 1"}), 503, "analytics_down")
        health = await hub.client.health()
        assert (health.status, health.checks["analytics"]) == ("ok", "its process is being started")
        await hub.client.submit({"prompt": "All the same", "hold": True})


async def test_only_admin_may_have_it_made_again(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        answer = await hub.post("/api/analytics/rebuild", **hub.bearer("metrics:read"))
        assert answer.status_code == 403
        assert (await hub.post("/api/analytics/rebuild")).status_code == 202


def _some_reports() -> list[LogReport | UsageReport]:
    return [
        *(LogReport(stream="stdout", text=f"line {n}", at_ms=1_770_000_000_000 + n) for n in range(20)),
        LogReport(stream="tool", text="ran", at_ms=1_770_000_000_000, data={"tool": "Bash", "toolUseId": "use"}),
        UsageReport(model="claude-opus-4-5", input=3, cost_micro_usd=12_345),
    ]


def _naive(folder: Path) -> list[int]:
    """The same sums, from the hub's own database."""
    with closing(sqlite3.connect(folder / "data" / "hub.db")) as db:
        sums = (
            "SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM events), (SELECT count(*) FROM log_lines),"
            " (SELECT sum(cost_micro_usd) FROM agents), (SELECT count(*) FROM log_lines WHERE stream = 'tool')"
        )
        return list(db.execute(sums).fetchone())


def _break(file: Path, damage: str) -> None:
    log = file.with_name(f"{file.name}.wal")
    if damage == "garbage":
        file.write_bytes(b"garbage" * 1_000)
    elif damage == "nothing":
        file.write_bytes(b"")
    elif damage == "garbage in the middle":
        content = bytearray(file.read_bytes())
        content[4_096:12_288] = b"\xff" * 8_192
        file.write_bytes(content)
    elif damage == "garbage in the log":
        log.write_bytes(b"garbage" * 1_000)
    else:
        file.unlink()


def _processes(hub: PlayedHub) -> list[psutil.Process]:
    """Those that answer this hub's questions."""
    folder = str(hub.parts.settings.data_dir / "analytics")
    return [child for child in psutil.Process().children(recursive=True) if folder in _arguments(child)]


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
