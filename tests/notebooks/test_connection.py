"""`connect` and `query`: the hub that the command line finds, in data frames, and errors that say what to do."""

import asyncio
from collections.abc import Mapping

import pandas as pd  # type: ignore[import-untyped]
import pytest

from hubs import ADMIN_KEY, HubProcess
from swarm_api.auth import KeyIn
from swarm_api.config import BadConfig
from swarm_api.errors import Forbidden, HubUnreachable, InvalidInput, NotAuthenticated
from swarm_api.words import Scope
from swarm_notebooks.connection import Swarm, connect


def key_of(sampled: HubProcess, scope: Scope) -> str:
    with Swarm(sampled.url, ADMIN_KEY) as swarm:
        return swarm.ask(lambda client: client.make_key(KeyIn(name="reader", scopes=[scope]))).key


def dtype(frame: pd.DataFrame, name: str) -> str:
    return str(frame[name].dtype)


def test_the_hub_on_this_machine_is_found(sampled: HubProcess) -> None:
    """By its note, without a variable that names it, as the command line finds it."""
    found = {name: value for name, value in sampled.environment.items() if name != "SWARM_BOOTSTRAP_KEY"}
    swarm = connect(environ=found)
    assert swarm.url == sampled.url
    swarm.close()


@pytest.mark.parametrize(
    ("environ", "error"),
    [({"SWARM_API_KEY": "sk-ant-other"}, NotAuthenticated), ({"SWARM_URL": "nowhere"}, BadConfig)],
    ids=["another service's key", "no address"],
)
def test_what_cannot_be_a_setting_is_said(
    sampled: HubProcess, environ: Mapping[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        connect(environ={**sampled.environment, **environ})


def test_a_hub_that_is_not_there_is_said_with_what_to_do() -> None:
    with pytest.raises(HubUnreachable, match=r"no hub answers at http://127\.0\.0\.1:9") as raised:
        connect("http://127.0.0.1:9", environ={"SWARM_API_KEY": ADMIN_KEY})
    assert "swarm orchestrator start" in raised.value.__notes__[0]


def test_a_key_without_the_right_is_said_with_what_to_do(sampled: HubProcess) -> None:
    key = key_of(sampled, "tasks:read")
    with pytest.raises(Forbidden) as raised:
        connect(sampled.url, environ={"SWARM_API_KEY": key})
    assert "metrics:read" in raised.value.__notes__[0]


def test_no_credential_is_said_with_what_to_do(sampled: HubProcess) -> None:
    with Swarm(sampled.url, None) as swarm, pytest.raises(NotAuthenticated) as raised:
        swarm.query("FROM tasks")
    assert "swarm login" in raised.value.__notes__[0]


def test_wrong_sql_is_said_as_the_hub_says_it(swarm: Swarm) -> None:
    with pytest.raises(InvalidInput, match="syntax error"):
        swarm.query("SELEC 1")


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("1", "int32[pyarrow]"),
        ("sum(cost_micro_usd)", "int64[pyarrow]"),
        ("avg(cost_micro_usd)", "double[pyarrow]"),
        ("max(created_at)", "timestamp[us, tz=Europe/Berlin][pyarrow]"),
        ("max(CAST(created_at AS DATE))", "date32[day][pyarrow]"),
        ("count(*) > 1", "bool[pyarrow]"),
    ],
)
def test_a_column_has_the_type_of_its_values(swarm: Swarm, expression: str, type_: str) -> None:
    assert dtype(swarm.query(f"SELECT {expression} AS x FROM tasks"), "x") == type_  # noqa: S608


def test_integers_with_gaps_stay_integers(swarm: Swarm) -> None:
    rows = swarm.query(
        "SELECT CASE WHEN i = 0 THEN NULL ELSE i + 9007199254740992 END AS x FROM range(2) t(i) ORDER BY i"
    )
    assert dtype(rows, "x") == "int64[pyarrow]"
    assert rows["x"].isna().tolist() == [True, False]
    assert int(rows["x"][1]) == 9_007_199_254_740_993


def test_parameters_are_values(swarm: Swarm) -> None:
    assert swarm.query("SELECT $x AS x", {"x": "'; DROP"})["x"].tolist() == ["'; DROP"]


def test_an_answer_that_was_cut_says_so(swarm: Swarm) -> None:
    with pytest.warns(UserWarning, match="cut after 2 rows"):
        assert len(swarm.query("FROM tasks", limit=2)) == 2


async def test_it_answers_where_a_loop_runs(swarm: Swarm) -> None:
    """As it does in a kernel's cell."""
    assert asyncio.get_running_loop().is_running()
    assert swarm.query("SELECT 1 AS x")["x"].tolist() == [1]


def test_a_closed_connection_says_so(sampled: HubProcess) -> None:
    swarm = Swarm(sampled.url, ADMIN_KEY)
    swarm.close()
    with pytest.raises(RuntimeError, match=r"connect\(\) again"):
        swarm.schema()
