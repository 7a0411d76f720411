"""A real hub process in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from websockets.sync.client import ClientConnection, connect

BIN = Path(sys.executable).parent
START_SECONDS = 30
STOP_SECONDS = 15
KEY = "sk_swarm_ofthebench_" + "k" * 43
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}


@dataclass(frozen=True)
class Hub:
    url: str
    process: psutil.Process
    folder: Path

    @property
    def address(self) -> tuple[str, int]:
        url = urlsplit(self.url)
        return url.hostname or "", url.port or 0

    def events(self, query: str = "") -> ClientConnection:
        """A WebSocket that follows the journal."""
        return connect(f"{self.url.replace('http', 'ws', 1)}/ws{query}", additional_headers=AUTHORIZED)

    @property
    def cpu_seconds(self) -> float:
        used = self.process.cpu_times()
        return used.user + used.system


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The hub's whole environment: nothing of the caller's but the path to its programs."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SWARM_DATA_DIR": str(folder / "data"),
        "SWARM_REPO_ROOTS": str(folder),
        "SIMULATE_MODE": "true",
        "LOG_LEVEL": "warning",
        "PORT": "0",
        "SWARM_BOOTSTRAP_KEY": KEY,
        **settings,
    }


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Hub]:
    """A hub that accepts. At the end it and every worker it started are gone."""
    hub = start(folder, **settings)
    try:
        yield hub
    finally:
        stop(hub)


def start(folder: Path, **settings: str) -> Hub:
    """Start a hub and wait until it accepts. Raises `RuntimeError` with its last words when it does not."""
    command = [BIN / "swarm-hub"]
    with (folder / "hub.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment(folder, **settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if url := _url(folder / "data" / "hub.json", process.pid):
            return Hub(url, psutil.Process(process.pid), folder)
        time.sleep(0.002)
    process.kill()
    process.wait()
    raise RuntimeError("the hub did not start: " + (folder / "hub.log").read_text()[-500:])


def stop(hub: Hub) -> None:
    _end(hub.process)
    for worker in psutil.process_iter(["cwd"]):
        if (worker.info["cwd"] or "").startswith(str(hub.folder)):
            worker.kill()


def kill(hub: Hub) -> None:
    """`kill -9`, without a word."""
    hub.process.send_signal(signal.SIGKILL)
    hub.process.wait()


def _end(process: psutil.Process) -> None:
    try:
        process.terminate()
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()
    except psutil.NoSuchProcess:
        return


def _url(path: Path, pid: int) -> str | None:
    """The address in a hub's own file, once this process has written it."""
    try:
        written = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return str(written["url"]) if written.get("pid") == pid else None
