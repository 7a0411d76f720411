"""Processes on this machine: which one is meant for certain, and all that belong to one agent, wherever they went."""

import os
import signal
import time
from collections import defaultdict

import psutil

COOKIE = "SWARM_AGENT"
"""The variable that every process of an agent inherits; its value is the agent's id (docs/decisions/0011)."""

# A scan in which a process ended proves nothing: its child may be too young for the list that was read. Where other
# people's processes come and go no scan is ever quiet, so this many must do.
SCANS = 20
LOOK_AGAIN = 0.002


def start_time(process: psutil.Process) -> float:
    """When the process started, on a clock that nobody sets: good for comparing, and for nothing else.

    psutil's public `create_time` moves when the wall clock is set; what it compares by itself does not.
    """
    started: float = process._ident[1]  # type: ignore[attr-defined]
    return started


def find(pid: int) -> psutil.Process | None:
    """The process with this number, if it runs. A zombie does not."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.Error:
        return None


def find_same(pid: int, started: float) -> psutil.Process | None:
    """The process with this number that started then, if it runs: never a later owner of the number."""
    process = find(pid)
    return process if process is not None and start_time(process) == started else None


def find_leader(pid: int) -> psutil.Process | None:
    """The process, if it runs, leads its session and is this user's, as every worker does."""
    process = find(pid)
    try:
        is_one = process is not None and os.getsid(pid) == pid and process.uids().real == os.getuid()
        return process if is_one else None
    except (psutil.Error, OSError):
        return None


def environment(process: psutil.Process) -> dict[str, str] | None:
    """What the process was started with; empty when it is ending. None: it made itself unreadable, or is not ours."""
    try:
        return process.environ()
    except psutil.AccessDenied:
        return None
    except psutil.NoSuchProcess:
        return {}


def may_be_of(process: psutil.Process, agent_id: str) -> bool:
    """Whether nothing speaks against its being the agent's: it has the cookie, or made itself unreadable."""
    variables = environment(process)
    return variables is None or variables.get(COOKIE) == agent_id


def oldest_leader(agent_id: str) -> psutil.Process | None:
    """The first process that can be read to have the agent's cookie: its worker, until that makes itself unreadable."""
    leaders = [leader for pid in psutil.pids() if (leader := find_leader(pid))]
    ours = [leader for leader in leaders if (environment(leader) or {}).get(COOKIE) == agent_id]
    return min(ours, key=lambda leader: (start_time(leader), leader.pid), default=None)


def send(process: psutil.Process, number: int) -> None:
    """Signal the process, unless it has ended, its number has a new owner, or it is not ours to signal."""
    try:
        process.send_signal(number)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        pass  # Whoever wants its end looks again, and says so when it stays.


class Tree:
    """The processes of one agent: those it is given, those with the agent's cookie, and all below either."""

    def __init__(self, agent_id: str, since: float) -> None:
        self._agent_id = agent_id
        self._since = since
        """The worker's start: nothing that is older can be of its tree, and need not be read."""
        self._members: set[psutil.Process] = set()
        self._strangers: set[psutil.Process] = set()

    def add(self, process: psutil.Process) -> None:
        self._members.add(process)

    def scan(self, number: int = 0) -> bool:
        """Look once for members not yet known and signal each on sight. False: this was a quiet scan, and none is new.

        The youngest come first: one that forks and exits all the time is caught, if at all, right after the list of
        processes was read.
        """
        quiet, known = True, len(self._members)
        below: defaultdict[int, list[psutil.Process]] = defaultdict(list)
        for pid in sorted(psutil.pids(), reverse=True):
            try:
                process = psutil.Process(pid)
                if start_time(process) >= self._since:
                    below[process.ppid()].append(process)
                    quiet &= self._judge(process, number)
            except psutil.NoSuchProcess:
                quiet = False
        self._descend(below, number)
        return not quiet or len(self._members) > known

    def kill(self, seconds: float) -> list[int]:
        """SIGKILL all members until none is left. Returns the numbers of those that would not die in that time.

        All are stopped first: what is stopped can neither fork nor leave its children to init, where those without
        a cookie would not be found any more.
        """
        deadline = time.monotonic() + seconds
        for process in self._members:
            send(process, signal.SIGSTOP)
        while True:
            for _ in range(SCANS):
                if not self.scan(signal.SIGSTOP):
                    break
            self._forget_ended()
            if not self._members or time.monotonic() > deadline:
                return sorted(process.pid for process in self._members)
            self._kill_known(deadline)

    def _judge(self, process: psutil.Process, number: int) -> bool:
        """Take the process in if it has the cookie. False: it is ending, maybe after a fork, and cannot be read."""
        if process in self._members or process in self._strangers:
            return True
        variables = environment(process)
        if variables is not None and variables.get(COOKIE) == self._agent_id:
            self._take(process, number)
            return True
        self._strangers.add(process)
        return variables != {}

    def _descend(self, below: defaultdict[int, list[psutil.Process]], number: int) -> None:
        parents = list(self._members)
        while parents:
            parent = parents.pop()
            for child in below.get(parent.pid, ()):
                if child not in self._members and start_time(child) >= start_time(parent):
                    self._take(child, number)
                    parents.append(child)

    def _take(self, process: psutil.Process, number: int) -> None:
        self._members.add(process)
        send(process, number)

    def _kill_known(self, deadline: float) -> None:
        for process in self._members:
            send(process, signal.SIGKILL)
        while self._members and time.monotonic() < deadline:
            self._forget_ended()
            time.sleep(LOOK_AGAIN)

    def _forget_ended(self) -> None:
        self._members = {process for process in self._members if find_same(process.pid, start_time(process))}
