"""`swarm export`: tables as files, and usage in other tools' forms, through a real hub."""

import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.ledger import Call, fill
from cli.program import Swarm
from hubs import ADMIN_KEY, HubProcess
from swarm_api.errors import Unavailable
from swarm_cli import export_pages
from swarm_cli.export_pages import Days, Rows, pages, patiently
from swarm_cli.export_progress import Progress
from swarm_cli.export_tables import Export, chosen, write_tables
from waiting import until

OPUS, HAIKU = "claude-opus-4-5", "claude-haiku-4-5"
CALLS = (
    Call("tsk_a", "local-agent-00000001", OPUS, "2026-02-01T12:00:00.250Z", 100, 10, 1_000, 20, 5, 123_456),
    Call("tsk_a", "local-agent-00000001", HAIKU, "2026-02-01T12:01:00Z", 50, 5, 0, 0, 0, 1),
    Call("tsk_a", "local-agent-00000002", OPUS, "2026-02-01T23:30:00Z", 7, 3, 0, 0, 9, 700_000),  # the 2nd in Berlin
    Call("tsk_b", "local-agent-00000003", OPUS, "2026-03-05T08:00:00Z", 1, 2, 3, 4, 0, 3_000_000),
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    hub = HubProcess(tmp_path_factory.mktemp("exported"), TIME_ZONE="Europe/Berlin")
    hub.start()
    fill(hub.data_dir / "hub.db", CALLS, [("tsk_a", "/srv/acme/shop"), ("tsk_b", None)])
    yield hub
    hub.kill()


@pytest.fixture
def swarm(tmp_path: Path, hub: HubProcess) -> Swarm:
    return Swarm(tmp_path, SWARM_URL=hub.url, SWARM_API_KEY=ADMIN_KEY)


def read(path: Path, what: str = "count(*)") -> Any:
    with duckdb.connect() as reader:
        return reader.execute(f"SELECT {what} FROM read_parquet(?)", [str(path)]).fetchall()[0][0]  # noqa: S608


def test_every_table_of_the_schema_is_a_file(swarm: Swarm) -> None:
    made = json.loads(swarm("export", "out", "--json").stdout)
    schema = json.loads(swarm("query", "--tables", "--json").stdout)["tables"]
    assert [table["name"] for table in made["tables"]] == [table["name"] for table in schema]
    for table in made["tables"]:
        assert table["files"] == [f"{table['name']}.parquet"]
        assert read(swarm.folder / "out" / table["files"][0]) == table["rows"]
    assert read(swarm.folder / "out" / "usage.parquet", "sum(cost_micro_usd)") == sum(call.cost for call in CALLS)


def test_the_manifest_says_where_it_came_from_and_what_columns_mean(swarm: Swarm, hub: HubProcess) -> None:
    swarm("export", "out", "--tables", "usage,labels")
    manifest = json.loads((swarm.folder / "out" / "manifest.json").read_text())
    assert (manifest["hub"]["url"], manifest["timeZone"], manifest["seq"]) == (hub.url, "Europe/Berlin", 2)
    assert [(table["name"], table["rows"]) for table in manifest["tables"]] == [("labels", 2), ("usage", 4)]
    assert all(column["description"] for table in manifest["tables"] for column in table["columns"])


def test_days_are_the_hubs_and_hold_for_what_belongs_to_tasks_too(swarm: Swarm) -> None:
    flags = ("--since", "2026-02-02", "--until", "2026-03-05", "--tables", "usage,tasks,labels")
    made = json.loads(swarm("export", "out", "--json", *flags).stdout)
    assert {table["name"]: table["rows"] for table in made["tables"]} == {"tasks": 1, "labels": 1, "usage": 2}


def test_a_folder_with_something_in_it_is_left_alone(swarm: Swarm) -> None:
    (swarm.folder / "out").mkdir()
    (swarm.folder / "out" / "mine").write_text("dear")
    assert swarm("export", "out").returncode == 2
    forced = swarm("export", "out", "--force")
    assert (forced.returncode, "holds something else than an export" in forced.stderr) == (2, True)
    assert (swarm.folder / "out" / "mine").read_text() == "dear"


def test_force_puts_it_in_the_place_of_an_earlier_export_whole(swarm: Swarm) -> None:
    swarm("export", "out", "--tables", "tasks")
    again = swarm("export", "out", "--tables", "labels")
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)
    assert swarm("export", "out", "--tables", "labels", "--force").returncode == 0
    assert sorted(path.name for path in (swarm.folder / "out").iterdir()) == ["labels.parquet", "manifest.json"]


def test_an_empty_folder_is_filled(swarm: Swarm) -> None:
    (swarm.folder / "out").mkdir()
    assert swarm("export", "out", "--tables", "tasks").returncode == 0


def test_a_hub_that_is_not_there_leaves_nothing(swarm: Swarm) -> None:
    assert swarm("export", "out", "--url", "http://127.0.0.1:9").returncode == 5
    assert [path.name for path in swarm.folder.iterdir()] == ["home"]


async def test_a_break_leaves_nothing(swarm: Swarm, hub: HubProcess) -> None:
    os.kill(hub.pid, signal.SIGSTOP)  # it takes the connection, and says nothing
    try:
        process = swarm.start("export", "out")
        await until(lambda: [path for path in swarm.folder.iterdir() if path.name.startswith(".out")])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    finally:
        os.kill(hub.pid, signal.SIGCONT)
    assert process.returncode == 130
    assert [path.name for path in swarm.folder.iterdir()] == ["home"]


async def test_a_table_that_is_too_large_for_one_answer_is_parts_in_order(hub: HubProcess, tmp_path: Path) -> None:
    async with hub.client() as client:
        schema = await client.schema()
        export = Export(client, schema, Days(None, None), Progress(io.StringIO(), {}), page=1)
        made = await write_tables(export, chosen(schema, "usage,spending,labels"), tmp_path)
    files = {table["name"]: (table["rows"], table["files"]) for table in made["tables"]}
    assert files["usage"] == (4, [f"usage/part-000{number}.parquet" for number in (1, 2, 3, 4)])
    ids = [read(tmp_path / name, "string_agg(request_id, ',')") for name in files["usage"][1]]
    assert ids == ["call0", "call1", "call2", "call3"]
    assert files["labels"] == (2, ["labels/part-0001.parquet", "labels/part-0002.parquet"])
    assert files["spending"] == (0, ["spending.parquet"])


async def test_a_hub_that_has_much_to_take_in_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_pages, "_REST", 0)
    refusals = [Unavailable("not yet", code="catching_up"), Unavailable("not yet", code="query_busy")]

    async def ask() -> str:
        if refusals:
            raise refusals.pop()
        return "the answer"

    assert await patiently(ask) == "the answer"


async def test_a_hub_that_cannot_answer_is_not_asked_again() -> None:
    async def ask() -> str:
        raise refusals.pop()

    refusals = [Unavailable("broken", code="analytics_down")]
    with pytest.raises(Unavailable, match="broken"):
        await patiently(ask)


async def test_rows_with_one_key_stay_together(hub: HubProcess) -> None:
    async with hub.client() as client:
        of_tasks = Rows("usage", "task_id, request_id", "task_id", "VARCHAR", [], {})
        found = [page.content.decode().splitlines()[1:] async for page in pages(client, of_tasks, "csv", 2)]
    assert found == [["tsk_a,call0", "tsk_a,call1", "tsk_a,call2"], ["tsk_b,call3"]]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--tables", "tasks,secrets"), "--tables: there is no table 'secrets'; allowed: tasks, "),
        (("--since", "yesterday"), "--since is 'yesterday'; allowed: a day like 2026-02-01"),
        (("--since", "2026-02-02", "--until", "2026-02-01"), "--since 2026-02-02 is after --until 2026-02-01"),
        (("--format", "ccusage", "--tables", "tasks"), "--tables is for parquet, not for ccusage"),
        (("--format", "ccusage", "--force"), "ccusage's JSON goes to stdout"),
    ],
)
def test_what_cannot_be_meant_is_refused(swarm: Swarm, flags: tuple[str, ...], told: str) -> None:
    run = swarm("export", *flags)
    assert (run.returncode, told in " ".join(run.stderr.split())) == (2, True)
    assert [path.name for path in swarm.folder.iterdir()] == ["home"]


def test_a_terminal_sees_how_far_it_is(swarm: Swarm) -> None:
    code, shown = swarm.on_terminal("export", "out", "--tables", "usage")
    assert (code, "usage: 4 rows" in shown) == (0, True)
    assert shown.splitlines()[-1].endswith("out: usage 4")


def test_days_as_ccusage_has_them(swarm: Swarm) -> None:
    report = json.loads(swarm("export", "--format", "ccusage").stdout)
    assert [day["date"] for day in report["daily"]] == ["2026-02-01", "2026-02-02", "2026-03-05"]
    assert report["daily"][0] == {
        "date": "2026-02-01", "inputTokens": 150, "outputTokens": 15, "cacheCreationTokens": 25,
        "cacheReadTokens": 1_000, "totalTokens": 1_190, "totalCost": 0.123457, "modelsUsed": [OPUS, HAIKU],
        "modelBreakdowns": [
            {"modelName": OPUS, "inputTokens": 100, "outputTokens": 10, "cacheCreationTokens": 25,
             "cacheReadTokens": 1_000, "cost": 0.123456},
            {"modelName": HAIKU, "inputTokens": 50, "outputTokens": 5, "cacheCreationTokens": 0,
             "cacheReadTokens": 0, "cost": 0.000001},
        ],
    }  # fmt: skip
    assert report["totals"]["totalCost"] == 3.823457


def test_months_as_ccusage_has_them(swarm: Swarm) -> None:
    months = json.loads(swarm("export", "--format", "ccusage", "--report", "monthly").stdout)["monthly"]
    assert [(month["month"], month["totalCost"]) for month in months] == [("2026-02", 0.823457), ("2026-03", 3.0)]


def test_tasks_are_its_sessions_newest_first(swarm: Swarm) -> None:
    sessions = json.loads(swarm("export", "--format", "ccusage", "--report", "session").stdout)["sessions"]
    assert [(one["sessionId"], one["lastActivity"], one["projectPath"]) for one in sessions] == [
        ("tsk_b", "2026-03-05", "scratch"), ("tsk_a", "2026-02-02", "/srv/acme/shop"),
    ]  # fmt: skip


def test_no_usage_is_a_report_of_nothing(swarm: Swarm) -> None:
    report = json.loads(swarm("export", "--format", "ccusage", "--since", "2030-01-01").stdout)
    assert (report["daily"], report["totals"]["totalTokens"], report["totals"]["totalCost"]) == ([], 0, 0)


def test_requests_are_lines_of_files_that_ccusage_reads(swarm: Swarm) -> None:
    made = json.loads(swarm("export", "out", "--format", "claude-jsonl", "--json").stdout)
    assert (made["requests"], made["sessions"], made["costMicroUsd"]) == (4, 2, 3_823_457)
    projects = swarm.folder / "out" / "projects"
    assert sorted(str(path.relative_to(projects)) for path in projects.rglob("*.jsonl")) == [
        "-srv-acme-shop/tsk_a/local-agent-00000001.jsonl", "-srv-acme-shop/tsk_a/local-agent-00000002.jsonl",
        "scratch/tsk_b/local-agent-00000003.jsonl",
    ]  # fmt: skip
    line = (projects / "-srv-acme-shop/tsk_a/local-agent-00000001.jsonl").read_text().splitlines()[0]
    assert '"usage":{' in line  # what ccusage looks for
    said = json.loads(line)
    assert (said["timestamp"], said["costUSD"]) == ("2026-02-01T12:00:00.250Z", 0.123456)
    assert said["message"]["model"] == OPUS
    assert said["message"]["usage"]["cache_creation"] == {
        "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 5,
    }  # fmt: skip
