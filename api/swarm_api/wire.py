"""HTTP with JSON from the standard library alone, for what must start fast: a worker's first call, `swarm status`.

Importing httpx costs 100 ms and pydantic 40; a worker has 250 ms until it reports, `swarm status` has 60.
"""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit


class Unreachable(Exception):
    """No hub answered: refused, timed out, or cut off in the middle."""


class Refused(Exception):
    """The hub answered with a problem."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or f"the hub answered {status}")
        self.status = status
        self.problem = problem


class Wire:
    """One kept-alive connection to a hub. Not for use by two threads at once."""

    def __init__(self, base_url: str, token: str | None = None, timeout: float = 30.0) -> None:
        """`timeout` in seconds holds for connecting and for each read."""
        url = urlsplit(base_url)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        self._connection = kind(url.hostname or "", url.port, timeout=timeout)
        self._prefix = url.path.rstrip("/")
        self._headers = {"Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        """The decoded JSON answer. Raises `Unreachable` when none came and `Refused` when it is no success.

        A kept connection that the hub closed meanwhile is opened again by the next call; the caller decides
        whether to send again.
        """
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            self._connection.request(method, self._prefix + path, body, headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, HTTPException) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error
        if response.status >= 300:
            raise Refused(response.status, _problem(answer))
        return json.loads(answer) if answer else None

    def close(self) -> None:
        """Close the connection; also ends a call that waits in another thread."""
        if sock := self._connection.sock:
            try:
                sock.shutdown(2)
            except OSError:
                pass  # never connected, or closed by the other side already
        self._connection.close()


def _problem(answer: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(answer)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
