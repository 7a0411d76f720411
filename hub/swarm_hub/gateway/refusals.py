"""What the hub itself says on the gateway's paths: in the form the runtime knows, as it decides what is asked again."""

from typing import Literal

from pydantic_core import to_json
from starlette.responses import Response

Kind = Literal["invalid_request_error", "permission_error", "request_too_large", "api_error", "rate_limit_error"]
_STATUS: dict[Kind, int] = {
    "invalid_request_error": 400, "permission_error": 403, "request_too_large": 413, "rate_limit_error": 429,
    "api_error": 502,
}  # fmt: skip


class Refused(Exception):
    """The call goes no further. 5xx and 429 are asked again by the runtime, 400 and 403 are not (measured)."""

    def __init__(self, kind: Kind, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after

    def response(self) -> Response:
        body = to_json({"type": "error", "error": {"type": self.kind, "message": str(self)}})
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return Response(body, _STATUS[self.kind], headers, media_type="application/json")
