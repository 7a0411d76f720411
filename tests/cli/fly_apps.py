"""Fly's apps on loopback, for `swarm setup`: what is asked is held against its published document."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from executors.fake_fly import TOKEN
from executors.published import Published

DOCUMENT = Published("fly-machines.json", "/v1")


class FlyApps:
    """Opened by `with`. `taken` is the name of somebody else's app."""

    def __init__(self) -> None:
        apps: set[str] = set()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rsplit("/", 1)[1]
                self._answer(200 if name in apps else 404, {"name": name} if name in apps else {"error": "not found"})

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if faults := DOCUMENT.faults("POST", self.path, [], asked):
                    self._answer(400, {"error": str(faults)})
                elif asked["name"] == "taken":
                    self._answer(422, {"error": "Name has already been taken", "status": "name_taken"})
                else:
                    apps.add(asked["name"])
                    self._answer(201, {})

            def log_message(self, *_: Any) -> None:
                pass

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                if self.headers.get("authorization") != TOKEN:
                    status, body = 401, {"error": "Authenticate: token validation error"}
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FlyApps":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
