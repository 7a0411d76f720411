"""`swarm query`, `swarm metrics` and `swarm analytics`: questions through a real hub."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import nanoarrow  # type: ignore[import-untyped]
import pytest
from nanoarrow.ipc import InputStream  # type: ignore[import-untyped]

from cli.program import Swarm
from cli.work import ended, script
from hubs import ADMIN_KEY, HubProcess

COSTLY: dict[str, Any] = {"usage": {"output": 10, "costMicroUsd": 500_000}}


@pytest.fixture
def swarm(tmp_path: Path, hub: HubProcess) -> Swarm:
    """Beside a hub of its own: what is counted is everybody's."""
    return Swarm(tmp_path, SWARM_URL=hub.url)


@pytest.fixture
def asking(tmp_path: Path, shared_hub: HubProcess) -> Swarm:
    """Beside a hub that others use too, for questions that count nothing."""
    return Swarm(tmp_path, SWARM_URL=shared_hub.url, SWARM_API_KEY=ADMIN_KEY)


def test_a_pipe_gets_values_with_tabs(swarm: Swarm) -> None:
    ended(swarm, COSTLY)
    sql = "SELECT status, cost_micro_usd, name FROM tasks"
    assert swarm("query", sql).stdout == "completed\t500000\t\n"


def test_a_question_may_come_from_stdin(swarm: Swarm) -> None:
    assert swarm("query", "-", stdin="SELECT 1 + 1").stdout == "2\n"


def test_json_is_the_apis_own(swarm: Swarm) -> None:
    answer = json.loads(swarm("query", "SELECT 1 AS one", "--format", "json").stdout)
    assert answer["columns"] == [{"name": "one", "type": "INTEGER"}]
    assert (answer["rows"], answer["truncated"]) == ([[1]], False)
    assert json.loads(swarm("query", "SELECT 1 AS one", "--json").stdout) == answer


def test_csv_has_a_head_and_quotes(swarm: Swarm) -> None:
    shown = swarm("query", """SELECT 'a "b", c' AS "the, text", 1.5 AS n""", "--format", "csv").stdout
    assert list(csv.reader(io.StringIO(shown))) == [["the, text", "n"], ['a "b", c', "1.5"]]


def test_a_table_has_its_numbers_at_the_right(swarm: Swarm) -> None:
    shown = swarm("query", "SELECT 'ab' AS word, 7 AS number", "--format", "table").stdout
    assert shown.splitlines() == ["word  number", "ab         7"]


def test_what_was_left_out_is_said(swarm: Swarm) -> None:
    run = swarm("query", "FROM range(3)", "--limit", "2")
    assert run.stdout == "0\n1\n"
    assert "more than these 2 rows" in run.stderr


def test_a_question_that_is_refused_fails_and_says_why(swarm: Swarm) -> None:
    run = swarm("query", "DROP TABLE tasks")
    assert run.returncode == 2
    assert "only SELECT is taken, not DROP" in run.stderr


def test_the_tables_are_told_with_their_columns(swarm: Swarm) -> None:
    shown = swarm("query", "--tables").stdout
    assert "usage  A row for each request to the model that has ended." in shown
    assert "  cost_micro_usd" in shown


def test_metrics_are_a_row_for_each_step_in_a_pipe(swarm: Swarm) -> None:
    ended(swarm, COSTLY)
    rows = [line.split("\t") for line in swarm("metrics", "--period", "week").stdout.splitlines()]
    assert len(rows) == 7
    assert [sum(int(row[at]) for row in rows) for at in range(1, 6)] == [1, 1, 0, 0, 500_000]


def test_metrics_in_json_are_the_apis_own(swarm: Swarm) -> None:
    swarm("submit", "-p", script({"say": "done"}), "--wait")
    told = json.loads(swarm("metrics", "--json").stdout)
    assert (told["period"], told["completedToday"], told["totals"]["tasks"]) == ("day", 1, 1)


def test_the_tables_are_made_again(swarm: Swarm) -> None:
    swarm("submit", "-p", "Later", "--hold")
    swarm("analytics", "rebuild")
    assert swarm("query", "SELECT count(*) FROM tasks").stdout == "1\n"


BARS = "SELECT * FROM (VALUES ('a', 4), ('longer', 2), (NULL, -1), ('none', NULL)) ORDER BY 2 DESC NULLS LAST"


def test_a_chart_has_a_bar_for_each_row(asking: Swarm) -> None:
    assert asking("query", "--chart", BARS, COLUMNS="36").stdout.splitlines() == [
        f"a       {'█' * 24}   4",
        f"longer  {'█' * 12}{' ' * 12}   2",
        f"(none)  {'█' * 6}{' ' * 18}  -1",
        "none",
    ]


def test_a_chart_is_of_ascii_where_that_is_all_there_is(asking: Swarm) -> None:
    shown = asking("query", "--chart", BARS, COLUMNS="36", PYTHONIOENCODING="ascii").stdout
    assert shown.splitlines()[1] == f"longer  {'#' * 12}{' ' * 12}   2"


def test_what_a_chart_shows_is_safe_for_a_terminal(asking: Swarm) -> None:
    _, shown = asking.on_terminal("query", "--chart", "SELECT chr(27) || '[31mred' || chr(10), 1", NO_COLOR="1")
    assert shown.startswith("red\\x0a  █")


@pytest.mark.parametrize("columns", ["1", "1, 'two'", "'a', {'n': 1}", "'a', [1]", "'a', INTERVAL 1 DAY"])
def test_a_chart_of_something_else_is_refused(asking: Swarm, columns: str) -> None:
    run = asking("query", "--chart", f"SELECT {columns}")
    assert (run.returncode, "--chart needs a label and a number" in run.stderr) == (2, True)


def test_what_has_numbers_in_it_is_no_number(asking: Swarm) -> None:
    shown = asking("query", "SELECT {'n': 1} AS structure, 7::UTINYINT AS number", "--format", "table").stdout
    assert shown.splitlines() == ["structure  number", '{"n": 1}        7']


def test_a_file_has_the_format_of_its_name(asking: Swarm) -> None:
    sql = "SELECT range AS n, 'a, b' AS word FROM range(3)"
    for name in ("rows.csv", "rows.json", "rows.arrow", "rows.parquet"):
        assert asking("query", sql, "-o", name).stdout == ""
    assert (asking.folder / "rows.csv").read_text() == 'n,word\n0,"a, b"\n1,"a, b"\n2,"a, b"\n'
    assert json.loads((asking.folder / "rows.json").read_text())["rows"][2] == [2, "a, b"]
    with InputStream.from_readable((asking.folder / "rows.arrow").read_bytes()) as stream:
        assert nanoarrow.Array(stream).to_pylist()[2] == {"n": 2, "word": "a, b"}
    with duckdb.connect() as reader:
        read = reader.execute("SELECT sum(n) FROM read_parquet(?)", [str(asking.folder / "rows.parquet")])
        assert read.fetchall() == [(3,)]


def test_a_question_that_fails_leaves_the_file_as_it_was(asking: Swarm) -> None:
    (asking.folder / "rows.parquet").write_text("dear")
    assert asking("query", "SELEC 1", "-o", "rows.parquet").returncode == 2
    assert (asking.folder / "rows.parquet").read_text() == "dear"
    assert sorted(path.name for path in asking.folder.iterdir() if path.is_file()) == ["rows.parquet"]


def test_a_file_that_lacks_rows_says_so(asking: Swarm) -> None:
    run = asking("query", "FROM range(3)", "--limit", "2", "-o", "rows.parquet")
    assert (run.returncode, "more than these 2 rows" in run.stderr) == (0, True)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("-o", "rows.xlsx"), "its ending names no format; allowed: .json, .csv, .arrow, .parquet"),
        (("-o", "rows", "--format", "table"), "a table is for people to look at"),
        (("-o", "not/there/rows.csv"), "no file can be there"),
        (("--chart", "--json"), "--chart is for people to look at"),
    ],
)
def test_what_does_not_go_together_is_refused(asking: Swarm, flags: tuple[str, ...], told: str) -> None:
    run = asking("query", "SELECT 1", *flags)
    assert (run.returncode, told in " ".join(run.stderr.split())) == (2, True)


def test_a_terminal_gets_no_parquet(asking: Swarm) -> None:
    code, shown = asking.on_terminal("query", "SELECT 1", "--format", "parquet")
    assert (code, "parquet is not for a terminal" in shown) == (2, True)
