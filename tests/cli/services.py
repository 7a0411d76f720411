"""Somebody else's service, as a small server on loopback that remembers what it was asked."""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self


class Reply(NamedTuple):
    status: int = 200
    body: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}


class Asked(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]


class Service:
    """Answers every request alike. Use it with `with`."""

    def __init__(self, reply: Reply) -> None:
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(reply, self.asked))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(reply: Reply, asked: list[Asked]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(Asked("GET", self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response_only(reply.status)
            body = json.dumps(reply.body).encode()
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's own word
            pass

    return Handler
