"""The one table that turns what goes wrong into answers: RFC 9457, never a stack trace, never HTML."""

import logging

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from swarm_api.errors import PROBLEM_JSON, MalformedRequest, SwarmError, to_problem
from swarm_api.invalid import field_errors

log = logging.getLogger(__name__)


def problem(error: Exception) -> Response:
    """The answer for an exception. What nobody foresaw is logged here and told to nobody."""
    if isinstance(error, ClientDisconnect):
        error = MalformedRequest("the request ended before its body was complete")
    if not isinstance(error, SwarmError):
        log.error("a request failed unforeseen", exc_info=error)
        error = SwarmError("the hub failed; its log has the reason under the request's id")
    elif error.status == 503:
        log.warning("a request was answered 503: %s", error.detail)
    headers = {"Retry-After": str(error.data.get("retryAfter", 1))} if error.status in (429, 503) else {}
    if error.status == 405:
        headers["Allow"] = ", ".join(error.data["allow"])
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = to_json(to_problem(error), by_alias=True)
    return Response(body, error.status, headers, media_type=PROBLEM_JSON)


def bad_query(error: ValidationError) -> MalformedRequest:
    """Bad or unknown query parameters."""
    errors = field_errors(error, unknown="unknown query parameter")
    return MalformedRequest(f"{errors[0]['loc']}: {errors[0]['msg']}", errors=errors)
