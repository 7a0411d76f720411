"""What the contract names and this version does not have: said so, never ignored."""

import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from swarm_hub.http import Route
from swarm_hub.routes.system import not_supported
from swarm_hub.routes.table import ROUTES

LATER = [route for route in ROUTES if route.handler is not_supported and route.method != "WS"]
NAMED = {
    "POST /api/tasks/{id}/messages", "POST /api/tasks/{id}/merge", "GET /api/approvals", "POST /api/approvals/{id}",
    "GET /api/conflicts",
}  # fmt: skip


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("route", LATER, ids=lambda route: f"{route.method} {route.path}")
async def test_a_path_that_is_not_built_yet_is_answered_501(shared: PlayedHub, route: Route) -> None:
    path = route.path.replace("{id}", "tsk_0000000000000000")
    assert_problem(await shared.http.request(route.method, path, json={}), 501, "not_supported")


def test_every_path_of_the_contract_is_in_the_table() -> None:
    assert {f"{route.method} {route.path}" for route in LATER} == NAMED
