"""Another user's note of a hub is nobody's: a client neither goes where it points, nor ends what it names."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hubs import ADMIN_KEY, PROGRAMS

Lay = Callable[[Path, str], None]


class Elsewhere(HTTPServer):
    """Somebody else's server, which remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listening)
        self.shown: list[str | None] = []


class _Listening(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        self.server.shown.append(self.headers["Authorization"])
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def writable_by_all(path: Path, note: str) -> None:
    path.write_text(note)
    path.chmod(0o666)


def linked(path: Path, note: str) -> None:
    target = path.with_name("theirs.json")
    target.write_text(note)
    target.chmod(0o600)
    path.symlink_to(target)


def owned_by_another(path: Path, note: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    path.write_text(note)
    path.chmod(0o600)
    os.chown(path, 65_534, 65_534)


@pytest.mark.parametrize("lay", [writable_by_all, linked, owned_by_another])
def test_a_key_of_the_environment_does_not_go_where_it_points(tmp_path: Path, elsewhere: Elsewhere, lay: Lay) -> None:
    data, port = tmp_path / "data", elsewhere.server_port
    data.mkdir()
    note = {"pid": 1, "startTime": 1.0, "url": f"http://127.0.0.1:{port}", "version": "1", "token": "eyJ.a.b"}
    lay(data / "hub.json", json.dumps(note))
    own = {"HOME": str(tmp_path), "SWARM_DATA_DIR": str(data), "SWARM_API_KEY": ADMIN_KEY, "PORT": "1"}
    run = subprocess.run([PROGRAMS / "swarm", "status"], env=own, capture_output=True, check=False)
    assert (run.returncode, elsewhere.shown) == (5, [])
