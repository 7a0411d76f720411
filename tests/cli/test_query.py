"""`swarm query`, `swarm metrics` and `swarm analytics`: questions through a real hub."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cli.program import Swarm
from cli.work import ended, script
from hubs import HubProcess

COSTLY: dict[str, Any] = {"usage": {"output": 10, "costMicroUsd": 500_000}}


@pytest.fixture
def swarm(tmp_path: Path, hub: HubProcess) -> Swarm:
    """Beside a hub of its own: what is counted is everybody's."""
    return Swarm(tmp_path, SWARM_URL=hub.url)


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
