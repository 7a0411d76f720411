"""The one way out of a sandbox: to the model's endpoint, and nowhere else unless the hub's user allows it."""

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hubs import HubProcess
from sandbox.trying import Attempt, lines, reached
from security.tasks import run

SIZE = 3_000_000


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is told."""


@pytest.fixture
def endpoint() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def other() -> Iterator[int]:
    """Something else that listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def start(_bubblewrap: None, start_hub: Callable[..., HubProcess]) -> Callable[..., HubProcess]:
    def start(**settings: str) -> HubProcess:
        """Hubs that name the model's own address to their agents: with the gateway it would always be the hub's."""
        return start_hub(LOCAL_SANDBOX="bubblewrap", ANTHROPIC_KEY_MODE="inject", **settings)

    return start


async def test_an_endpoint_on_loopback_is_where_it_is_outside(
    start: Callable[..., HubProcess], target: Path, endpoint: int, other: int
) -> None:
    hub = start(ANTHROPIC_BASE_URL=f"http://127.0.0.1:{endpoint}")
    attempts: list[Attempt] = [("connect", port) for port in (endpoint, other, int(hub.settings["PORT"]))]
    async with hub.client() as client:
        assert await reached(client, target, attempts) == [("connect", endpoint)]


async def test_what_is_sent_there_arrives_and_is_answered(
    start: Callable[..., HubProcess], target: Path, endpoint: int
) -> None:
    ask = f"""
import http.client
for _ in range(2):
    one, body = http.client.HTTPConnection("localhost", {endpoint}), b"x" * {SIZE}
    one.request("POST", "/", body)
    print(one.getresponse().read() == body)
"""
    hub = start(ANTHROPIC_BASE_URL=f"http://127.0.0.1:{endpoint}")
    async with hub.client() as client:
        task = await run(client, {"run": f"python3 - <<'EOF'\n{ask}\nEOF"}, repo=str(target))
        assert await lines(client, task) == ["True", "True"]


@pytest.mark.parametrize("asked", ["elsewhere.test:443", "model.test:80", "127.0.0.1:{other}"])
async def test_of_an_endpoint_elsewhere_the_proxy_of_the_sandbox_gives_that_one_alone(
    start: Callable[..., HubProcess], target: Path, other: int, asked: str
) -> None:
    ask = f"""
import os, socket
host, _, port = os.environ["HTTPS_PROXY"].removeprefix("http://").partition(":")
proxy = socket.create_connection((host, int(port)))
proxy.sendall(b"CONNECT {asked.format(other=other)} HTTP/1.1\\r\\n\\r\\n")
print(proxy.recv(100).decode().splitlines()[0])
"""
    async with start(ANTHROPIC_BASE_URL="https://model.test").client() as client:
        task = await run(client, {"run": f"python3 - <<'EOF'\n{ask}\nEOF"}, repo=str(target))
        assert await lines(client, task) == ["HTTP/1.1 403 Forbidden"]


async def test_the_machines_own_proxy_and_its_password_are_out_of_sight(
    start: Callable[..., HubProcess], target: Path
) -> None:
    hub = start(HTTPS_PROXY="http://ada:canary@proxy.test:3128", all_proxy="http://ada:canary@proxy.test:3128")
    async with hub.client() as client:
        told = await lines(client, await run(client, {"run": "env"}, repo=str(target)))
    assert [line for line in told if "canary" in line] == []
    assert "HTTPS_PROXY=http://127.0.0.1:3128" in told


async def test_with_all_of_the_network_the_rest_is_still_out_of_sight(
    start: Callable[..., HubProcess], target: Path, other: int, short: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(short / "docker.sock"))
        daemon.listen()
        hub = start(LOCAL_SANDBOX_NETWORK="all")
        attempts: list[Attempt] = [
            ("connect", other), ("connect_unix", str(short / "docker.sock")), ("read", str(hub.data_dir / "hub.json")),
        ]  # fmt: skip
        async with hub.client() as client:
            assert await reached(client, target, attempts) == [("connect", other)]


async def test_an_agent_cannot_approve_itself(start: Callable[..., HubProcess], target: Path, endpoint: int) -> None:
    """It reaches the hub only where all of the network is open, and there it has no credential to show."""
    hub = start(LOCAL_SANDBOX_NETWORK="all")
    ask = f"""
import http.client
for method, path in [("POST", "/api/approvals/apr_1"), ("GET", "/api/tasks"), ("POST", "/api/auth/api-keys")]:
    one = http.client.HTTPConnection("127.0.0.1", {hub.settings["PORT"]})
    one.request(method, path, {json.dumps(json.dumps({"decision": "allow"}))}, {{"Content-Type": "application/json"}})
    print(one.getresponse().status)
"""
    async with hub.client() as client:
        task = await run(client, {"run": f"python3 - <<'EOF'\n{ask}\nEOF"}, repo=str(target))
        told = await lines(client, task)
    assert told[1:] == ["401", "401"]
    assert told[0] in ("401", "404")  # whether or not this hub has approvals
