"""The workers of this machine: started once, found again, ended with all that is theirs. Everything here blocks."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from swarm_executors.folder import AgentFolder, record, take
from swarm_executors.processes import Tree, find, find_leader, find_same, may_be_of, oldest_leader, start_time
from swarm_executors.protocol import ExecutorError, Handle, Launch, Observation
from swarm_executors.spawn import spawn

NAMING = 5.0
"""Seconds within which whoever holds a lock is known: hub and worker both write it down right after the start."""
DEATH = 5.0
"""Seconds that killed processes get to disappear."""
LOOK_AGAIN = 0.005


@dataclass(frozen=True)
class Worker:
    """A worker's process. One that had ended before anybody saw it run has the start time 0."""

    agent_id: str
    pid: int
    start_time: float

    @classmethod
    def of(cls, handle: Handle) -> "Worker":
        return cls(handle["agentId"], handle["pid"], handle["startTime"])

    @property
    def handle(self) -> Handle:
        return {"agentId": self.agent_id, "pid": self.pid, "startTime": self.start_time}


class Workers:
    def __init__(self, agents: Path, command: Sequence[str]) -> None:
        self._agents = agents
        self._command = command
        self._children: dict[str, int] = {}
        """Children of this process that are not reaped yet, so that nobody else can have got their number."""
        self._reaping = threading.Lock()

    def live(self, worker: Worker) -> psutil.Process | None:
        """The worker's process, if it runs. It takes about 40 µs.

        Both proofs are needed: a lock outlives its worker where a child got hold of it, and pid and start time may
        come again after the machine was started anew.
        """
        process = find_same(worker.pid, worker.start_time)
        return process if process is not None and self._folder(worker.agent_id).is_held() else None

    def start(self, launch: Launch) -> Worker:
        """Start the worker, unless that was ever done. Whoever has the lock while it bears no name may do it."""
        folder = self._folder(launch.agent_id)
        folder.make()
        deadline = time.monotonic() + NAMING
        while time.monotonic() < deadline:
            with folder.lock() as lock:
                if take(lock) and folder.pid() is None:
                    return self._spawn(launch, folder, lock)
            if (worker := self._started(launch.agent_id)) is not None:
                return worker
            time.sleep(LOOK_AGAIN)  # another start is under way, or a hub died in the middle of one
        raise ExecutorError(f"the lock of {launch.agent_id} is held by an unknown process")

    def running(self, hub_id: str) -> list[Worker]:
        """The hub's workers that run."""
        folders = self._agents.iterdir() if self._agents.is_dir() else ()
        mine = [path.name for path in folders if AgentFolder(path).hub() == hub_id]
        return [worker for agent_id in mine if (worker := self._holder(agent_id)) is not None]

    def tree(self, worker: Worker) -> Tree:
        """The agent's processes as they are now."""
        tree = Tree(worker.agent_id, worker.start_time)
        if (process := self.live(worker)) is not None:
            tree.add(process)
            tree.scan()
        return tree

    def end(self, worker: Worker, tree: Tree) -> list[int]:
        """Kill what is left of the agent, and reap it. Returns the numbers of the processes that do not die."""
        if self._is_another(worker):
            return []
        left = tree.kill(DEATH)
        self._reap(worker.agent_id)
        return left

    def bury(self, worker: Worker) -> Observation:
        """What became of a worker that runs no more. Nothing it started outlives this."""
        folder = self._folder(worker.agent_id)
        if self._is_another(worker):
            return Observation("lost", detail="another process has its number")
        left = self.end(worker, Tree(worker.agent_id, worker.start_time))
        if not folder.path.is_dir():
            return Observation("lost", detail="its folder is gone")
        code = folder.exit_code()
        return Observation("exited", code, _reason(code, folder.last_line(), left))

    def _folder(self, agent_id: str) -> AgentFolder:
        return AgentFolder(self._agents / agent_id)

    def _spawn(self, launch: Launch, folder: AgentFolder, lock: int) -> Worker:
        folder.write_hub(launch.hub_id)
        pid = self._children[launch.agent_id] = spawn(self._command, launch, folder, lock)
        process = find(pid)
        worker = Worker(launch.agent_id, pid, start_time(process) if process else 0)
        try:
            record(lock, worker.pid, worker.start_time)
        except OSError:
            pass  # The disk is full. The worker runs all the same, and its cookie says whose it is.
        return worker

    def _started(self, agent_id: str) -> Worker | None:
        """The worker that was started for the agent, whether or not it still runs."""
        pid = self._folder(agent_id).pid()
        process = oldest_leader(agent_id) if pid is None else find_leader(pid)
        if process is not None and may_be_of(process, agent_id):
            return Worker(agent_id, process.pid, start_time(process))
        return None if pid is None else Worker(agent_id, pid, 0)

    def _holder(self, agent_id: str) -> Worker | None:
        """The worker that runs for the agent, known from its folder alone."""
        worker = self._started(agent_id) if self._folder(agent_id).is_held() else None
        return worker if worker is not None and self.live(worker) else None

    def _is_another(self, worker: Worker) -> bool:
        """Whether the agent's worker runs and is not the one that is meant: then it is not to be touched."""
        return self._holder(worker.agent_id) not in (None, worker)

    def _reap(self, agent_id: str) -> None:
        """Take the exit code of a child of ours, and keep it for whoever asks later. Other processes are init's."""
        with self._reaping:
            pid = self._children.get(agent_id)
            if pid is None:
                return
            try:
                if (code := _exit_code(pid)) is None:
                    return
                self._folder(agent_id).write_exit_code(code)
            except OSError:
                pass  # The system reaps by itself where SIGCHLD is ignored; or the code found no room on the disk.
            del self._children[agent_id]


def _exit_code(pid: int) -> int | None:
    """How a child ended, as shells and clouds say it: 128 and the signal's number for one that was killed.

    Its lock is free a moment before it can be reaped. None: that moment has not come.
    """
    deadline = time.monotonic() + DEATH
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        time.sleep(LOOK_AGAIN)
    return None


def _reason(code: int | None, last_line: str, left: Sequence[int]) -> str:
    """Why it ended, for people."""
    said = last_line if code != 0 else ""
    killed = f"killed by {_signal(code - 128)}" if code is not None and code > 128 else ""
    stuck = f"its processes {left} do not die" if left else ""
    return "; ".join(part for part in (killed, said, stuck) if part)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # most of the real-time signals have no name
