"""This machine as a place, with small programs for workers."""

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from swarm_api import ids
from swarm_executors.local import LocalExecutor
from swarm_executors.protocol import Handle
from waiting import until

WORKER = """
import os, signal, subprocess, sys
from pathlib import Path

def save(*_):
    Path("saved").touch()
    sys.exit(0)

def finish(*_):
    sys.exit(int(Path("code").read_text()))

signal.signal(signal.SIGTERM, save)
signal.signal(signal.SIGUSR1, finish)
with open("starts", "a") as starts:
    starts.write(f"{os.getpid()}\\n")
PROGRAM
Path("ready").touch()
while True:
    signal.pause()
"""
CHILD = """
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True)
"""


class LocalPlace:
    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self._programs = folder / "programs"
        self._executors: list[LocalExecutor] = []
        self.data_dir.mkdir()
        self._programs.mkdir()

    def executor(self) -> LocalExecutor:
        return self.running(CHILD)

    def stubborn(self) -> LocalExecutor:
        return self.running(CHILD + "signal.signal(signal.SIGTERM, signal.SIG_IGN)")

    def broken(self) -> LocalExecutor:
        return self.commanding(str(self.data_dir / "no-such-program"))

    def running(self, program: str) -> LocalExecutor:
        """An executor whose workers run these lines of Python before they are ready."""
        return self.commanding(*self.command(program))

    def command(self, program: str = CHILD) -> Sequence[str]:
        """What starts a worker that runs these lines of Python before it is ready."""
        path = self._programs / f"{len(list(self._programs.iterdir()))}.py"
        path.write_text(WORKER.replace("PROGRAM", program))
        return sys.executable, "-S", str(path)

    def commanding(self, *command: str) -> LocalExecutor:
        executor = LocalExecutor(self.data_dir, command)
        self._executors.append(executor)
        return executor

    def folder(self, agent_id: str) -> Path:
        return self.data_dir / "agents" / agent_id

    async def is_ready(self, handle: Handle) -> None:
        await until((self.folder(handle["agentId"]) / "ready").exists)

    def starts(self, agent_id: str) -> int:
        return len((self.folder(agent_id) / "starts").read_text().splitlines())

    def is_running(self, agent_id: str) -> bool:
        return bool(processes_of(agent_id))

    def has_saved(self, agent_id: str) -> bool:
        return (self.folder(agent_id) / "saved").exists()

    def finish(self, handle: Handle, exit_code: int) -> None:
        (self.folder(handle["agentId"]) / "code").write_text(str(exit_code))
        os.kill(handle["pid"], signal.SIGUSR1)

    def lose(self, handle: Handle) -> None:
        os.kill(handle["pid"], signal.SIGKILL)
        shutil.rmtree(self.folder(handle["agentId"]))

    def unknown(self) -> Handle:
        return {"agentId": ids.new_agent_id("local"), "pid": os.getpid(), "startTime": 1.0}

    async def aclose(self) -> None:
        """Leave nothing behind, whatever the test did."""
        for executor in self._executors:
            await executor.aclose()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if Path(process.cwd()).is_relative_to(self.data_dir):  # also where the folder is gone
                    process.kill()
        for starts in self.data_dir.glob("agents/*/starts"):
            for pid in starts.read_text().split():
                _reap(int(pid))


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def processes_of(agent_id: str) -> list[psutil.Process]:
    """The running processes with the agent's cookie."""
    return [process for process in psutil.process_iter() if _environment(process).get("SWARM_AGENT") == agent_id]


def _environment(process: psutil.Process) -> Mapping[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}
