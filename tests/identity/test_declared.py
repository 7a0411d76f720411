"""A route says who may call it, or there is no hub."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from swarm_api.words import Scope
from swarm_hub.http import Route
from swarm_hub.identity.callers import PERMISSIONS
from swarm_hub.routes.system import live
from swarm_hub.routes.table import ROUTES

OPEN = {"/health", "/health/live", "/openapi.json", "/docs", "/api/auth/token"}


@pytest.mark.parametrize("permission", ["", "none", "public", "tasks", "tasks:delete", "Admin", None, 0])
def test_a_permission_that_there_is_not_stops_the_start(permission: Any) -> None:
    with pytest.raises(ValueError, match="GET /somewhere does not say who may call it"):
        Route("GET", "/somewhere", permission, live, "Somewhere")


def test_a_route_without_a_permission_cannot_be_written() -> None:
    fields: Any = {"method": "GET", "path": "/somewhere", "handler": live, "summary": "Somewhere"}
    with pytest.raises(TypeError, match="permission"):
        Route(**fields)


def test_nor_can_one_be_taken_away() -> None:
    with pytest.raises(ValueError, match="does not say who may call it"):
        replace(ROUTES[0], permission="")  # type: ignore[arg-type]


def test_what_is_open_is_known_by_name() -> None:
    """Whoever opens another path says so here."""
    assert {route.path for route in ROUTES if route.permission == "open"} == OPEN


def test_every_scope_opens_something() -> None:
    assert set(get_args(Scope)) <= {route.permission for route in ROUTES} <= PERMISSIONS


def test_the_paths_of_workers_and_of_the_model_are_theirs_alone() -> None:
    for prefix, permission in (("/worker/", "worker"), ("/anthropic/", "model")):
        below = {route.path: route.permission for route in ROUTES if route.path.startswith(prefix)}
        assert set(below.values()) == {permission}
        assert {route.path for route in ROUTES if route.permission == permission} == set(below)
