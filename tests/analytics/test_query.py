"""What can be asked, and how it is answered."""

import csv
import io
import json

import duckdb
import nanoarrow  # type: ignore[import-untyped]
import pytest
from nanoarrow.ipc import InputStream  # type: ignore[import-untyped]

from hub.played import PlayedHub
from hub.problems import assert_problem
from swarm_api.errors import InvalidInput

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_rows_come_with_the_names_and_types_of_their_columns(asked: PlayedHub) -> None:
    ended = "FROM tasks WHERE status = 'completed' GROUP BY 1 ORDER BY 1"
    sql = f"SELECT type, count(*) AS tasks, sum(cost_micro_usd) AS cost {ended}"
    answer = await asked.client.query(sql)
    assert [(column.name, column.type) for column in answer.columns] == [
        ("type", "VARCHAR"), ("tasks", "BIGINT"), ("cost", "HUGEINT"),
    ]  # fmt: skip
    assert answer.rows == [["code", 1, 1_000], ["docs", 2, 5_000]]
    assert not answer.truncated


async def test_an_answer_takes_into_account_all_that_was_acknowledged_before(asked: PlayedHub) -> None:
    task = await asked.client.submit({"prompt": "Just now", "hold": True})
    answer = await asked.client.query("SELECT count(*) FROM tasks WHERE task_id = ?", [task.id])
    assert answer.rows == [[1]]
    assert answer.seq >= task.seq


@pytest.mark.parametrize(
    ("sql", "params", "row"),
    [
        ("SELECT ? + ?", [1, 2], [3]),
        ("SELECT $b || $a", {"a": "x", "b": "y"}, ["yx"]),
        ("SELECT $1 IS NULL, $2", [None, True], [True, True]),
        ("SELECT ?", ["'; DROP TABLE tasks; --"], ["'; DROP TABLE tasks; --"]),
    ],
)
async def test_values_are_bound(asked: PlayedHub, sql: str, params: object, row: list[object]) -> None:
    answer = await asked.client.query(sql, params)  # type: ignore[arg-type]
    assert answer.rows == [row]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("TIMESTAMPTZ '2026-02-01 13:00:00.9+01'", "2026-02-01T12:00:00Z"),
        ("'nan'::DOUBLE", None),
        ("['inf'::DOUBLE, 1.5]", [None, 1.5]),
        ("170141183460469231731687303715884105727::HUGEINT", 2**127 - 1),
        ("1.50::DECIMAL(9, 2)", 1.5),
        ("{'a': [1, 2]}", {"a": [1, 2]}),
        ("'NaN says \"hello\"\n'", 'NaN says "hello"\n'),
        ("NULL", None),
        ("DATE '2026-02-01'", "2026-02-01"),
    ],
)
async def test_a_value_in_json(asked: PlayedHub, value: str, shown: object) -> None:
    assert (await asked.client.query(f"SELECT {value}")).rows == [[shown]]


@pytest.mark.parametrize(
    "sql", ["SELECT 1 -- ;", "SELECT 1;", "/* a */ SELECT 1 ; -- b\n", "(SELECT 1)", "FROM range(1, 2)"]
)
async def test_a_statement_may_end_and_be_noted_as_it_likes(asked: PlayedHub, sql: str) -> None:
    assert (await asked.client.query(sql)).rows == [[1]]


async def test_the_order_of_a_question_is_the_order_of_its_answer(asked: PlayedHub) -> None:
    rows = (await asked.client.query("SELECT range FROM range(50000) ORDER BY hash(range)", limit=20_000)).rows
    with duckdb.connect() as naive:
        order = naive.execute("SELECT range FROM range(50000) ORDER BY hash(range) LIMIT 20000").fetchall()
    assert [row[0] for row in rows] == [row[0] for row in order]


@pytest.mark.parametrize(("limit", "rows", "truncated"), [(2, 2, True), (3, 3, False), (4, 3, False)])
async def test_a_limit_says_whether_there_was_more(asked: PlayedHub, limit: int, rows: int, truncated: bool) -> None:
    answer = await asked.client.query("SELECT * FROM range(3)", limit=limit)
    assert (len(answer.rows), answer.truncated) == (rows, truncated)
    other = await asked.post("/api/query", {"sql": "FROM range(3)", "limit": limit}, Accept="text/csv")
    assert (other.headers["x-rows"], other.headers["x-truncated"]) == (str(rows), str(truncated).lower())
    assert len(other.text.splitlines()) == rows + 1


SQL = """SELECT range AS n, 'a "b", ' || range AS "the, name", range AS n, to_timestamp(range) AS at_, range / 3 AS part
         FROM range(5000)"""
NAMES = ["n", "the, name", "n_1", "at_", "part"]


async def test_csv_is_what_a_reader_of_csv_expects(asked: PlayedHub) -> None:
    rows = list(csv.reader(io.StringIO((await asked.client.query_as("csv", SQL)).decode())))
    assert rows[0] == NAMES
    assert rows[5000] == ["4999", 'a "b", 4999', "4999", "1970-01-01 01:23:19+00", "1666.3333333333333"]


async def test_arrow_is_a_stream_of_batches(asked: PlayedHub) -> None:
    content = await asked.client.query_as("arrow", SQL)
    with InputStream.from_readable(io.BytesIO(content)) as stream:
        table = nanoarrow.Array(stream)
    assert [field.name for field in table.schema.fields] == NAMES
    assert len(table) == 5_000
    assert table[4999].as_py()["the, name"] == 'a "b", 4999'


async def test_parquet_is_a_file_of_parquet(asked: PlayedHub, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("parquet") / "answer.parquet"
    path.write_bytes(await asked.client.query_as("parquet", SQL))
    with duckdb.connect() as reader:
        read = reader.execute("SELECT count(*), sum(n), max(part) FROM read_parquet(?)", [str(path)])
        assert read.fetchall() == [(5_000, 12_497_500, 4_999 / 3)]


async def test_nothing_of_an_answer_is_left_behind(asked: PlayedHub) -> None:
    await asked.client.query("SELECT 1")
    await asked.client.query_as("parquet", "SELECT 1")
    with pytest.raises(InvalidInput):
        await asked.client.query("SELECT nothing")
    assert list((asked.parts.settings.data_dir / "analytics" / "answers").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, "sql"), ({"sql": ""}, "sql"), ({"sql": "x" * 100_001}, "sql"), ({"sql": "SELECT 1", "limit": 0}, "limit"),
        ({"sql": "SELECT 1", "limit": 5_000_001}, "limit"), ({"sql": "SELECT 1", "format": "csv"}, "format"),
    ],
)  # fmt: skip
async def test_a_question_that_is_none_names_its_field(asked: PlayedHub, body: dict[str, object], loc: str) -> None:
    assert_problem(await asked.post("/api/query", body), 422, "invalid_input", loc)


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT nothing", "SELECT ?", "SELECT 'a'::INTEGER", "", ";", "-- nothing"])
async def test_sql_that_is_none_is_told_so(asked: PlayedHub, sql: str) -> None:
    answer = await asked.post("/api/query", {"sql": sql or " "})
    assert answer.status_code == 422
    assert answer.json()["code"] in ("query_invalid", "query_refused")
    assert str(asked.parts.settings.data_dir) not in answer.text


async def test_every_table_and_column_of_the_schema_is_there_and_has_a_sentence(asked: PlayedHub) -> None:
    schema = await asked.client.schema()
    for table in schema.tables:
        answer = await asked.client.query(f"FROM {table.name} LIMIT 0")
        types = [column.type.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ") for column in answer.columns]
        assert [column.name for column in answer.columns] == [column.name for column in table.columns]
        assert types == [column.type for column in table.columns]
        assert table.description.endswith((".", "…"))
        assert all(column.description.endswith((".", "…")) for column in table.columns)


async def test_what_was_prompted_said_and_done_is_not_among_it(asked: PlayedHub) -> None:
    """`metrics:read` opens numbers, not work."""
    for table in (await asked.client.schema()).tables:
        rows = (await asked.client.query(f"FROM {table.name}")).rows
        assert "secret" not in json.dumps(rows), table.name
