"""The OpenAPI 3.1 document, made from the same table and models that serve."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from swarm_api import __version__
from swarm_api.errors import PROBLEM_JSON
from swarm_hub.http import Route

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `errors` names each bad field by its path.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"loc": {"type": "string"}, "msg": {"type": "string"}}},
        },
    },
}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 255},
    "description": "The same key and body give the same answer for 24 hours.",
}
SECURITY_SCHEMES = {
    "user": {"type": "http", "scheme": "bearer", "description": "A token of /api/auth/token, or an API key itself."},
    "worker": {"type": "http", "scheme": "bearer", "description": "The token that an agent's worker was started with."},
    "model": {"type": "http", "scheme": "bearer", "description": "The token that an agent calls the model with."},
}
_STREAMS = {"/api/events": ("text/event-stream",), "/api/tasks/{id}/logs": ("text/event-stream", "text/plain"),
            "/api/tasks/{id}/diff": ("text/x-diff",),
            "/api/query": ("text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"),
            }  # fmt: skip


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """The document for these routes. WebSockets are outside OpenAPI; `/ws` is described as a GET that upgrades."""
    refs, schemas = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(routes, key=lambda route: route.permission == "worker"):  # people first
        method = "get" if route.method == "WS" else route.method.lower()
        paths.setdefault(route.path, {})[method] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Claude Swarm", "version": __version__, "summary": "Runs many Claude coding agents at once."},
        "paths": paths,
        "components": {"schemas": {**schemas, "Problem": PROBLEM}, "securitySchemes": SECURITY_SCHEMES},
    }


def _schemas(routes: Sequence[Route]) -> tuple[Mapping[Any, Any], dict[str, Any]]:
    wanted: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = []
    for route in routes:
        wanted += [(kind, "validation", TypeAdapter(kind)) for kind in route.body]
        wanted += [
            (kind, "serialization", TypeAdapter(kind))
            for kind in route.answers.values()
            if kind is not None and not isinstance(kind, str)
        ]
    unique = {(kind, mode): (kind, mode, adapter) for kind, mode, adapter in wanted}
    refs, document = TypeAdapter.json_schemas(
        list(unique.values()), ref_template="#/components/schemas/{model}", by_alias=True
    )
    return refs, document.get("$defs", {})


def _operation(route: Route, refs: Mapping[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _operation_id(route),
        "x-permission": route.permission,
        "security": _security(route),
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, refs),
    }
    if route.creates:
        operation["parameters"].append(IDEMPOTENCY)
    if route.body:
        shapes = [refs[(kind, "validation")] for kind in route.body]
        schema = shapes[0] if len(shapes) == 1 else {"oneOf": shapes}
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": any(map(_has_required, route.body)), "content": content}
    return operation


def _security(route: Route) -> list[dict[str, list[str]]]:
    """Scopes are named, which OpenAPI 3.1 allows for every scheme. Nothing is needed where the list is empty."""
    if route.permission == "open":
        return []
    if route.permission in SECURITY_SCHEMES:
        return [{route.permission: []}]
    return [{"user": [route.permission]}]


def _has_required(kind: type[Any]) -> bool:
    """Whether a body must say anything: no body is an object without fields."""
    return "required" in TypeAdapter(kind).json_schema()


def _operation_id(route: Route) -> str:
    words = re.findall(r"[a-zA-Z0-9]+", route.path)
    return route.method.lower() + "".join(word.capitalize() for word in words)


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    properties = route.query.model_json_schema(by_alias=True).get("properties", {})
    return [{"name": name, "in": "query", "schema": _inline(schema)} for name, schema in properties.items()]


def _inline(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title"}


def _responses(route: Route, refs: Mapping[Any, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, kind in route.answers.items():
        if kind is None:
            content = {}
        elif isinstance(kind, str):
            content = _json_of(kind, {})
        else:
            content = _json_of("application/json", refs[(kind, "serialization")])
        for stream in _STREAMS.get(route.path, ()):
            content[stream] = {"schema": {"type": "string"}}
        answers[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    problem = _json_of(PROBLEM_JSON, {"$ref": "#/components/schemas/Problem"})
    return {**answers, "default": {"description": "A problem", "content": problem}}


def _json_of(media_type: str, schema: Any) -> dict[str, Any]:
    return {media_type: {"schema": schema}}
