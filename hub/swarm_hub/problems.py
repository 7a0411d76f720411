"""The one table that turns what goes wrong into answers: RFC 9457, never a stack trace, never HTML."""

import logging
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.responses import Response

from swarm_api.errors import (
    PROBLEM_JSON,
    InvalidInput,
    MalformedRequest,
    SwarmError,
    to_problem,
)

log = logging.getLogger(__name__)

MAX_NAME = 100  # characters of a field's name that are repeated
WORDS = {
    "extra_forbidden": "unknown field",
    "missing": "required",
}


def problem(error: Exception) -> Response:
    """The answer for an exception. What nobody foresaw is logged here and told to nobody."""
    if not isinstance(error, SwarmError):
        log.error("a request failed unforeseen", exc_info=error)
        error = SwarmError("the hub failed; its log has the reason under the request's id")
    headers = {"Retry-After": "1"} if error.status in (429, 503) else {}
    if error.status == 405:
        headers["Allow"] = ", ".join(error.data["allow"])
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = to_json(to_problem(error), by_alias=True)
    return Response(body, error.status, headers, media_type=PROBLEM_JSON)


def invalid(error: ValidationError) -> InvalidInput:
    """Bad fields of a body, each by its path: `tasks.3.prompt`."""
    errors = _errors(error)
    first = errors[0]
    return InvalidInput(f"{first['loc']}: {first['msg']}" if first["loc"] else first["msg"], errors=errors)


def bad_query(error: ValidationError) -> MalformedRequest:
    """Bad or unknown query parameters."""
    errors = _errors(error, unknown="unknown query parameter")
    return MalformedRequest(f"{errors[0]['loc']}: {errors[0]['msg']}", errors=errors)


def _errors(error: ValidationError, unknown: str = "unknown field") -> list[dict[str, str]]:
    return [
        {"loc": _loc(item["loc"]), "msg": unknown if item["type"] == "extra_forbidden" else _message(item)}
        for item in error.errors(include_url=False, include_context=False)[:100]
    ]


def _message(item: Any) -> str:
    if item["type"] in WORDS:
        return WORDS[item["type"]]
    message = str(item["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    shown = repr(item["input"])
    # An address may hold credentials.
    simple = isinstance(item["input"], str | int | float | bool) and len(shown) <= 80 and "@" not in shown
    return f"{message}, not {shown}" if simple else message


def _loc(loc: Sequence[str | int]) -> str:
    return ".".join(str(part)[:MAX_NAME] for part in loc)
