"""Questions that are none: nothing of the machine is told, nothing is changed, and everybody else is answered."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED = {
    "files as tables": "SELECT * FROM '/etc/passwd'",
    "files by name": 'SELECT * FROM "answers/1"',
    "a database's file": "SELECT * FROM 'swarm.duckdb'",
    "the web": "SELECT * FROM 'https://example.com/a.parquet'",
    "a bucket": "FROM 's3://bucket/key.csv'",
    "read_csv": "SELECT * FROM read_csv('/etc/passwd')",
    "read_text below": "SELECT 1 WHERE (SELECT count(*) FROM read_text('/etc/passwd')) > 0",
    "read_blob in a list": "SELECT [x FOR x IN (SELECT content FROM read_blob('/etc/passwd'))]",
    "read_parquet in a CTE": "WITH x AS (FROM read_parquet('answers/1')) FROM x",
    "read_duckdb": "SELECT * FROM read_duckdb('hub.db')",
    "glob": "SELECT * FROM glob('/*')",
    "sniff_csv": "FROM sniff_csv('/etc/passwd')",
    "parquet's metadata": "SELECT * FROM parquet_metadata('x')",
    "COPY out": "COPY tasks TO '/tmp/x.csv'",
    "COPY in": "COPY tasks FROM '/etc/passwd'",
    "EXPORT": "EXPORT DATABASE '/tmp/x'",
    "ATTACH": "ATTACH '/tmp/x.duckdb'",
    "ATTACH SQLite": "ATTACH 'hub.db' (TYPE sqlite)",
    "USE": "USE kept",
    "INSTALL": "INSTALL httpfs",
    "LOAD": "LOAD httpfs",
    "SET": "SET memory_limit = '10GB'",
    "RESET": "RESET lock_configuration",
    "PRAGMA": "PRAGMA database_list",
    "CALL": "CALL pragma_version()",
    "EXPLAIN": "EXPLAIN ANALYZE SELECT 1",
    "PREPARE": "PREPARE x AS SELECT 1",
    "EXECUTE": "EXECUTE x",
    "BEGIN": "BEGIN",
    "VACUUM": "VACUUM",
    "CHECKPOINT": "CHECKPOINT",
    "checkpoint as a table": "SELECT * FROM force_checkpoint()",
    "CREATE": "CREATE TABLE x (a INTEGER)",
    "CREATE as": "CREATE TEMP TABLE x AS SELECT 1",
    "a macro": "CREATE MACRO x() AS 1",
    "a secret": "CREATE SECRET (TYPE s3)",
    "DROP": "DROP TABLE tasks",
    "INSERT": "INSERT INTO labels VALUES ('a', 'b', 'c')",
    "DELETE": "DELETE FROM tasks",
    "UPDATE": "UPDATE tasks SET name = 'x'",
    "MERGE": "MERGE INTO tasks USING tasks t ON true WHEN MATCHED THEN DELETE",
    "DELETE in a CTE": "WITH x AS (DELETE FROM tasks RETURNING *) SELECT * FROM x",
    "INSERT in a CTE": "WITH x AS (INSERT INTO labels VALUES ('a', 'b', 'c') RETURNING *) SELECT * FROM x",
    "UPDATE in a CTE": "WITH x AS (UPDATE tasks SET name = 'x' RETURNING *) SELECT * FROM x",
    "two statements": "SELECT 1; SELECT 2",
    "another behind a comment": "SELECT 1; -- \n DROP TABLE tasks",
    "out of the brackets": "SELECT 1) AS a, (SELECT 2",
    "the hidden schema": "SELECT * FROM kept.state",
    "the hidden schema by its database": "SELECT * FROM swarm.kept.metered",
    "the answer itself": "SELECT * FROM answer",
    "the settings": "SELECT * FROM duckdb_settings()",
    "the settings in a join": "SELECT * FROM tasks JOIN LATERAL (FROM duckdb_settings()) ON true",
    "a setting": "SELECT current_setting('temp_directory')",
    "a setting by its schema": "SELECT system.main.current_setting('temp_directory')",
    "a setting by a dot": "SELECT ('temp_directory').current_setting()",
    "a setting in a lambda": "SELECT list_transform(['temp_directory'], lambda x: current_setting(x))",
    "databases": "SELECT path FROM duckdb_databases()",
    "databases as a view": "SELECT path FROM duckdb_databases",
    "a view of the system behind a CTE": "SELECT (WITH duckdb_views AS (SELECT 1) SELECT 1), sql FROM duckdb_views",
    "secrets": "SELECT * FROM duckdb_secrets()",
    "which_secret": "SELECT * FROM which_secret('s3://x', 's3')",
    "extensions": "SELECT install_path FROM duckdb_extensions()",
    "temporary files": "SELECT * FROM duckdb_temporary_files()",
    "logs": "SELECT * FROM duckdb_logs()",
    "write_log": "SELECT write_log('x')",
    "PostgreSQL's settings": "SELECT * FROM pg_settings",
    "PostgreSQL's tables": "SELECT * FROM pg_catalog.pg_class",
    "PostgreSQL's files": "SELECT pg_read_file('/etc/passwd')",
    "pg_sleep": "SELECT pg_sleep(100)",
    "sleep_ms": "SELECT sleep_ms(100000)",
    "SQLite's tables": "SELECT * FROM sqlite_master",
    "sqlite_scan": "SELECT * FROM sqlite_scan('hub.db', 'api_keys')",
    "the information schema": "SELECT * FROM information_schema.tables",
    "SHOW": "SHOW DATABASES",
    "SHOW in brackets": "SELECT * FROM (SHOW DATABASES)",
    "DESCRIBE": "DESCRIBE kept.state",
    "SUMMARIZE": "SUMMARIZE tasks",
    "query()": "SELECT * FROM query('FROM duckdb_settings()')",
    "query_table()": "SELECT * FROM query_table('duckdb_databases')",
    "serialised SQL": "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM duckdb_settings()'))",
    "getenv": "SELECT getenv('HOME')",
    "variables": "SELECT getvariable('x')",
    "PIVOT of the settings": "PIVOT duckdb_settings() ON name IN ('x')",
    "a sequence": "SELECT nextval('x')",
    "nothing": " ",
}

ENDLESS = {
    "an endless recursion": "WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM t) SELECT max(a) FROM t",
    "a cross join": "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range + b.range) = 7",
    "a slow expression": "SELECT max(sha256(sha256(sha256(range::VARCHAR)))) FROM range(10000000000)",
}

STUBBORN = "SELECT levenshtein(repeat('x', 400000), repeat('y', 400001))"  # DuckDB does not look up while it compares
SLOW = "SELECT count(sha256(sha256(range::VARCHAR))) FROM range(2000000)"

TOO_LARGE = {
    "a long text": "SELECT length(repeat('x', 4000000000))",
    "a long list": "SELECT len(range(2000000000))",
    "a wide format": "SELECT printf('%1000000000d', 1)",
    "a large group": "SELECT len(list(range)) FROM range(100000000)",
    "a text of many": "SELECT length(string_agg(repeat('y', 1000), '')) FROM range(1000000)",
    "rows that are kept aside": "SELECT repeat('z', 100000) || range FROM range(100000)",
    "an answer of a hundred MB and more": "SELECT repeat('q', 10000) || range FROM range(40000)",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused(asked: PlayedHub, name: str) -> None:
    answer = await asked.post("/api/query", {"sql": REFUSED[name]})
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in ("query_refused", "query_invalid")
    folder = str(Path(asked.parts.settings.data_dir).parent)
    assert folder not in answer.text
    assert "/etc/passwd\n" not in answer.text


async def test_nothing_was_changed_by_any_of_it(asked: PlayedHub) -> None:
    before = await _contents(asked)
    pid = _process(asked).pid
    for sql in REFUSED.values():
        await asked.post("/api/query", {"sql": sql})
    assert await _contents(asked) == before
    assert _process(asked).pid == pid


@pytest.mark.parametrize("name", ENDLESS)
async def test_what_has_no_end_is_ended(asked: PlayedHub, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swarm_hub.analytics.analytics.SECONDS", 0.5)
    began = time.monotonic()
    assert_problem(await asked.post("/api/query", {"sql": ENDLESS[name]}), 422, "query_timeout")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("name", TOO_LARGE)
async def test_what_needs_too_much_is_ended_and_the_process_lives(asked: PlayedHub, name: str) -> None:
    await asked.client.query("SELECT 1")
    process = _process(asked)
    answer = await asked.post("/api/query", {"sql": TOO_LARGE[name], "limit": 1_000_000})
    assert answer.status_code == 422, answer.text[:300]
    assert answer.json()["code"] in ("query_out_of_memory", "answer_too_large", "query_invalid"), answer.text
    assert (await asked.client.query("SELECT 1")).rows == [[1]]
    assert _process(asked).pid == process.pid
    assert process.memory_info().rss < 512 * 1024 * 1024


async def test_what_does_not_stop_ends_with_its_process(asked: PlayedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swarm_hub.analytics.analytics.SECONDS", 3.0)  # to begin with it, on a busy machine
    monkeypatch.setattr("swarm_hub.analytics.child.PATIENCE", 0.5)
    await asked.client.query("SELECT 1")
    process = _process(asked)
    stubborn = asyncio.create_task(asked.post("/api/query", {"sql": STUBBORN}))
    assert_problem(await stubborn, 503, "query_killed")
    monkeypatch.undo()
    assert (await asked.client.query("SELECT 1")).rows == [[1]]
    assert _process(asked).pid != process.pid


async def test_what_is_asked_while_the_process_ends_is_asked_again_of_the_next_one(asked: PlayedHub) -> None:
    await asked.client.query("SELECT 1")
    process = _process(asked)
    before = process.cpu_times().user
    asking = asyncio.create_task(asked.client.query(SLOW))
    await until(lambda: process.cpu_times().user > before + 0.2)
    process.kill()
    assert (await asking).rows == [[2_000_000]]


async def test_others_are_answered_meanwhile(asked: PlayedHub) -> None:
    """Four questions without an end: health, tasks and metrics come all the same."""
    endless = [
        asyncio.create_task(asked.post("/api/query", {"sql": sql}))
        for sql in [*ENDLESS.values(), ENDLESS["a cross join"]]
    ]
    try:
        await until(lambda: psutil.Process(_process(asked).pid).num_threads() > 3)
        waits = [await _seconds(asked, "/health") for _ in range(50)]
        assert sorted(waits)[45] < 0.25
        assert (await asked.get("/api/metrics")).status_code == 200
    finally:
        for each in endless:
            each.cancel()
        await asyncio.gather(*endless, return_exceptions=True)


async def test_a_question_whose_asker_leaves_is_stopped(asked: PlayedHub) -> None:
    await asked.client.query("SELECT 1")
    process = _process(asked)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await asked.post("/api/query", {"sql": ENDLESS["a slow expression"]})

    def rests() -> bool:
        return process.cpu_percent(0.2) < 30

    await asyncio.to_thread(lambda: asyncio.run(until(rests)))
    assert (await asked.client.query("SELECT 1")).rows == [[1]]
    assert _process(asked).pid == process.pid


def _process(hub: PlayedHub) -> psutil.Process:
    """The one that answers."""
    (found,) = [
        child for child in psutil.Process().children(recursive=True)
        if str(hub.parts.settings.data_dir / "analytics") in child.cmdline()
    ]  # fmt: skip
    return found


async def _contents(hub: PlayedHub) -> object:
    sql = "SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM labels), (SELECT max(name) FROM tasks)"
    return (await hub.client.query(sql)).rows


async def _seconds(hub: PlayedHub, path: str) -> float:
    began = time.monotonic()
    assert (await hub.get(path)).status_code == 200
    return time.monotonic() - began
