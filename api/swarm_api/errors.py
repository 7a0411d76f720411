"""One tree of errors, the same on both sides: RFC 9457 problems on the wire, exceptions in Python."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

PROBLEM_JSON = "application/problem+json"


class SwarmError(Exception):
    """Something the caller can be told. `code` is stable, `detail` is for people, `data` goes beside them."""

    status: ClassVar[int] = 500
    code: str = "internal"

    def __init__(self, detail: str, *, code: str | None = None, **data: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.data = data


class MalformedRequest(SwarmError):
    """400: the request cannot be read at all: broken JSON, broken UTF-8, an unknown query parameter."""

    status, code = 400, "malformed_request"


class NotAuthenticated(SwarmError):
    status, code = 401, "not_authenticated"


class Forbidden(SwarmError):
    status, code = 403, "forbidden"


class NotFound(SwarmError):
    status, code = 404, "not_found"


class MethodNotAllowed(SwarmError):
    status, code = 405, "method_not_allowed"


class NotAcceptable(SwarmError):
    status, code = 406, "not_acceptable"


class Conflict(SwarmError):
    """409: the request is sound, the state is not. `task_finished`, `blocked`, `stale_agent`, …"""

    status, code = 409, "conflict"


class Gone(SwarmError):
    status, code = 410, "gone"


class TooLarge(SwarmError):
    status, code = 413, "too_large"


class InvalidInput(SwarmError):
    """422: fields with wrong values. `errors` names each: `[{"loc": "tasks.3.prompt", "msg": "…"}]`."""

    status, code = 422, "invalid_input"

    def __init__(self, detail: str, *, errors: Sequence[Mapping[str, str]] = (), **data: Any) -> None:
        super().__init__(detail, errors=list(errors), **data)

    @classmethod
    def field(cls, loc: str, msg: str, **data: Any) -> "InvalidInput":
        return cls(f"{loc}: {msg}", errors=[{"loc": loc, "msg": msg}], **data)


class NotSupported(SwarmError):
    """422 for a field, 501 for a path: the contract names it and this version does not have it yet."""

    status, code = 422, "not_supported"


class NotImplementedYet(NotSupported):
    status = 501


class TooManyRequests(SwarmError):
    """429. `retryAfter` in its data: seconds until the same request may pass."""

    status, code = 429, "rate_limited"


class StorageFailed(SwarmError):
    """503: the hub could not make it durable (a full disk, a read-only folder). Nothing was changed; try again."""

    status, code = 503, "storage_failed"


class Unavailable(SwarmError):
    status, code = 503, "unavailable"


class HubUnreachable(SwarmError):
    """Raised by clients only: no hub answered at the address."""

    status, code = 503, "hub_unreachable"


_BY_STATUS: dict[int, type[SwarmError]] = {
    cls.status: cls
    for cls in (
        MalformedRequest, NotAuthenticated, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, Conflict, Gone,
        TooLarge, InvalidInput, TooManyRequests, NotImplementedYet, Unavailable,
    )
}  # fmt: skip


def to_problem(error: SwarmError, **extra: Any) -> dict[str, Any]:
    """The RFC 9457 body of an error."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        **error.data,
        **extra,
    }


def from_problem(status: int, problem: Mapping[str, Any]) -> SwarmError:
    """The exception for an answer that is no success; an answer that is no problem document still says its status."""
    known = {"type", "title", "status", "detail", "code"}
    data = {key: value for key, value in problem.items() if key not in known}
    unsupported = status == 422 and problem.get("code") == "not_supported"
    kind = NotSupported if unsupported else _BY_STATUS.get(status, SwarmError)
    error = kind(str(problem.get("detail") or f"the hub answered {status}"), **data)
    error.code = str(problem.get("code") or kind.code)
    return error
