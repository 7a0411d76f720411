"""A real hub for a test: its own process, its own data folder, a free port, a clean environment."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import psutil

from swarm_api.client import HubClient

PROGRAMS = Path(sys.executable).parent
START_LIMIT = 20.0  # seconds
ADMIN_KEY = "sk_swarm_ofthetests_" + "k" * 43
AUTHORIZED = {"Authorization": f"Bearer {ADMIN_KEY}"}


class HubProcess:
    """`swarm-hub` as a user would run it. Start it again with `start` after `stop` or `kill`: the data stays."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.data_dir = folder / "data"
        self.settings = {"SWARM_RUNTIME": "scripted", "PORT": "0", "SWARM_REPO_ROOTS": str(folder), **settings}
        self.settings.setdefault("SWARM_BOOTSTRAP_KEY", ADMIN_KEY)  # "": the hub makes a key of its own
        self.log = folder / "hub.log"
        self.said = folder / "hub.out"
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """A clean one: nothing of the machine the tests run on but its PATH and a home of their own."""
        home = self.data_dir.parent / "home"
        home.mkdir(exist_ok=True)
        base = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "SWARM_DATA_DIR": str(self.data_dir)}
        return {**base, **self.settings}

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it accepts; afterwards it keeps its port, as a hub of a user's would."""
        with self.said.open("ab") as said:
            self._process = subprocess.Popen(
                [PROGRAMS / "swarm-hub"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.PIPE,
            )
        accepts = threading.Event()
        threading.Thread(target=self._listen, args=(self._process, accepts), daemon=True).start()
        if not accepts.wait(START_LIMIT) or self._process.poll() is not None:
            raise AssertionError(f"the hub did not start:\n{self.log.read_text()}")
        self.url = json.loads((self.data_dir / "hub.json").read_text())["url"]
        self.settings["PORT"] = self.url.rsplit(":", 1)[1]

    def client(self) -> HubClient:
        """One that may do everything."""
        return HubClient(self.url, self.settings["SWARM_BOOTSTRAP_KEY"])

    def token(self) -> str:
        """The token that the hub leaves for its user."""
        token: str = json.loads((self.data_dir / "hub.json").read_text())["token"]
        return token

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        return self._end(number)

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self._end(signal.SIGKILL)

    def end_agents(self) -> None:
        """End every worker this hub ever started, and what they started."""
        ours = {path.name for path in (self.data_dir / "agents").glob("*")}
        for process in psutil.process_iter():
            try:
                if process.environ().get("SWARM_AGENT") in ours:
                    process.kill()
            except psutil.Error:
                continue

    def agent_processes(self) -> list[int]:
        """Every process that carries the mark of one of this hub's agents, and every worker."""
        ours = {path.name for path in (self.data_dir / "agents").glob("*")}
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("SWARM_AGENT") in ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
            except psutil.Error:
                continue
        return found

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(START_LIMIT)
        self._process = None
        return code

    def _listen(self, process: subprocess.Popen[bytes], accepts: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr as said, self.log.open("ab") as log:
            for line in said:
                log.write(line)
                log.flush()
                if line.startswith(b"claude-swarm hub ") and b" on http" in line:
                    accepts.set()
        accepts.set()
