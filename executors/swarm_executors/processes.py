"""Processes on this machine: which one is meant for certain, and all that belong to one agent, wherever they went."""

import os
import signal
import time

import psutil

COOKIE = "SWARM_AGENT"
"""The variable that every process of an agent inherits; its value is the agent's id (docs/decisions/0011)."""

# A scan in which a process ended proves nothing: it may have a child that is too young for the list that was read.
# Where other people's processes come and go hardly any scan is quiet: this many must do. All but the first are quick.
SCANS = 200
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


def send(process: psutil.Process, number: int) -> bool:
    """Signal the process. False: it has ended, or its number has a new owner, or it is not ours to signal."""
    try:
        process.send_signal(number)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return True


class Tree:
    """The processes of one agent: those it is given, those with the agent's cookie, and all below either."""

    def __init__(self, agent_id: str, since: float) -> None:
        self._agent_id = agent_id
        self._since = since
        """The worker's start: nothing that is older can be of its tree, and need not be read."""
        self._members: set[psutil.Process] = set()
        self._seen: dict[int, psutil.Process] = {}
        self._parents: dict[psutil.Process, int] = {}

    def add(self, process: psutil.Process) -> None:
        self._members.add(process)

    def scan(self, number: int = 0) -> bool:
        """Take in members not yet known, and signal each on sight. False: it found none, and no trace of one."""
        known = len(self._members)
        running = set(psutil.pids())
        for pid in self._seen.keys() - running:
            self._parents.pop(self._seen.pop(pid), None)
        read = [self._meet(pid, number) for pid in sorted(running - self._seen.keys(), reverse=True)]
        self._descend(number)
        return len(self._members) > known or not all(read)

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
                if not self.scan(signal.SIGSTOP) or time.monotonic() > deadline:
                    break
            self._forget_ended()
            if not self._members or time.monotonic() > deadline:
                return sorted(process.pid for process in self._members)
            self._kill_known(deadline)

    def _meet(self, pid: int, number: int) -> bool:
        """Judge a process not seen before. False: it is ending, maybe after a fork, and cannot be judged."""
        try:
            group = os.getpgid(pid)
            process = self._seen[pid] = psutil.Process(pid)
            if start_time(process) < self._since:
                return True
            variables = environment(process)
            if variables is not None and variables.get(COOKIE) == self._agent_id:
                self._take(process, group, number)
            self._parents[process] = process.ppid()
            return variables != {}
        except (psutil.NoSuchProcess, ProcessLookupError):
            return False

    def _take(self, process: psutil.Process, group: int, number: int) -> None:
        """Signal a process that proved to be a member.

        One that forks and exits all the time is gone by now. But its child is in the same group, and the whole group
        is the agent's, since its session was begun by the worker or by something below it.
        """
        self._members.add(process)
        if not send(process, number) and number:
            try:
                os.killpg(group, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass  # The group has ended too, or what is left of it is a superuser's.

    def _descend(self, number: int) -> None:
        """Take in what is below the members."""
        below = {process for process in self._parents if process not in self._members and self._has_parent(process)}
        for process in below:
            self._members.add(process)
            send(process, number)
        if below:
            self._descend(number)

    def _has_parent(self, process: psutil.Process) -> bool:
        """Whether its parent is a member. What started before its parent is the child of the number's last owner."""
        parent = self._seen.get(self._parents[process])
        return parent in self._members and parent is not None and start_time(process) >= start_time(parent)

    def _kill_known(self, deadline: float) -> None:
        for process in self._members:
            send(process, signal.SIGKILL)
        while self._members and time.monotonic() < deadline:
            self._forget_ended()
            time.sleep(LOOK_AGAIN)

    def _forget_ended(self) -> None:
        self._members = {process for process in self._members if find_same(process.pid, start_time(process))}
