"""HTTP with JSON from the standard library alone, for what must start fast: a worker's first call, `swarm status`.

Importing httpx costs 100 ms and pydantic 40; a worker has 250 ms until it reports, `swarm status` has 60.
"""

import json
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from swarm_api.addresses import keep_private
from swarm_api.source import Source, source_of


class Unreachable(Exception):
    """No hub answered: refused, timed out, or cut off in the middle."""


class Refused(Exception):
    """The hub answered with a problem."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or f"the hub answered {status}")
        self.status = status
        self.problem = problem


class Wire:
    """One kept-alive connection to a hub. Not for use by two threads at once. Follows no redirect, uses no proxy."""

    def __init__(
        self, base_url: str, token: str | Source | None = None, timeout: float = 30.0, *, insecure: bool = False
    ) -> None:
        """`timeout` in seconds holds for connecting and for each read.

        `insecure`: the credential may travel over plain http to another machine.
        """
        url = urlsplit(base_url)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        self._connection = kind(url.hostname or "", url.port, timeout=timeout)
        self._base_url = base_url
        self._prefix = url.path.rstrip("/")
        self._source = source_of(token)
        self._insecure = insecure

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        """The decoded JSON answer. Raises `Unreachable` when none came and `Refused` when it is no success.

        Raises `InsecureAddress` before a credential goes where others could read it. A request whose credential was
        refused is sent once more with a new one, if there is one. A kept connection that the hub closed meanwhile is
        opened again by the next call; the caller decides whether to send again.
        """
        token = self._source.token()
        try:
            return self._exchange(method, path, body, token)
        except Refused as refused:
            fresh = self._source.renewed(token) if refused.status == 401 else None
            if fresh is None:
                raise
        return self._exchange(method, path, body, fresh)

    def close(self) -> None:
        """Close the connection; also ends a call that waits in another thread."""
        if sock := self._connection.sock:
            try:
                sock.shutdown(2)
            except OSError:
                pass  # never connected, or closed by the other side already
        self._connection.close()

    def _exchange(self, method: str, path: str, body: bytes | None, token: str | None) -> Any:
        headers = self._headers(body, token)
        try:
            self._connection.request(method, self._prefix + path, body, headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, HTTPException) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error
        if response.status >= 300:
            raise Refused(response.status, _problem(response, answer))
        return json.loads(answer) if answer else None

    def _headers(self, body: bytes | None, token: str | None) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if token is not None:
            if not self._insecure:
                keep_private(self._base_url)
            headers["Authorization"] = f"Bearer {token}"
        return headers


def _problem(response: HTTPResponse, answer: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(answer)
    except ValueError:
        problem = {}
    return with_patience(problem if isinstance(problem, dict) else {}, response.headers.get("Retry-After"))


def with_patience(problem: dict[str, Any], retry_after: str | None) -> dict[str, Any]:
    """The problem with the seconds that its header asks for, where it does not say them itself."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()) or len(retry_after) > 9:
        return problem
    return {"retryAfter": int(retry_after), **problem}
