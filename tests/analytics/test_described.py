"""Answers are what the OpenAPI document says, to the last field."""

import pytest

from hub.described import Description
from hub.played import PlayedHub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("path", ["/api/metrics", "/api/metrics?period=month", "/api/schema", "/api/metrics?period=no"])
async def test_what_is_asked_for_by_its_path(asked: PlayedHub, path: str) -> None:
    await _check(asked, "GET", path)


@pytest.mark.parametrize("sql", ["FROM usage", "DROP TABLE tasks", ""])
async def test_what_is_asked_in_sql(asked: PlayedHub, sql: str) -> None:
    await _check(asked, "POST", "/api/query", {"sql": sql})


async def _check(hub: PlayedHub, method: str, path: str, body: object = None) -> None:
    answer = await hub.http.request(method, path, json=body)
    Description((await hub.get("/openapi.json")).json()).check(answer)
