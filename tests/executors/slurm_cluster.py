"""A Slurm cluster of two nodes on this machine: Debian's own daemons, without root, on ports of their own."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from waiting import LOOK_AGAIN

DAEMONS = ("slurmctld", "slurmd", "slurmrestd", "scontrol")
USER = "nobody"
START_LIMIT = 60.0  # seconds
CONFIGURATION = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdSpoolDir={folder}/spool-%n
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0,defer=no
SlurmdTimeout=15
MinJobAge=3600
KillWait=2
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first} CPUs=8 RealMemory=8000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={second} CPUs=8 RealMemory=8000 State=UNKNOWN
PartitionName=p Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=tiny Nodes=ALL MaxMemPerNode=100 State=UP
EnforcePartLimits=ALL
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
"""


def missing() -> str:
    """Why there can be no cluster here; nothing where there can."""
    lacking = [name for name in (*DAEMONS, "/usr/bin/python3") if _program(name) is None]
    return f"Slurm is not installed (Debian: slurmctld slurmd slurmrestd slurm-client): {lacking}" if lacking else ""


class SlurmCluster:
    """`start` returns when both nodes are idle. What its jobs write goes below `folder`."""

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="swarm-slurm-"))
        self._user = pwd.getpwnam(USER).pw_name if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.socket = self.folder / "rest.sock"

    @property
    def url(self) -> str:
        return f"unix:{self.socket}"

    def start(self) -> None:
        for name in ("state", "spool-n1", "spool-n2", "jobs"):
            (self.folder / name).mkdir()
        controller, first, second = _ports(3)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], user=self._user, folder=self.folder, controller=controller,
            first=first, second=second,
        ))  # fmt: skip
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, self._user)
        self.folder.chmod(0o755)
        self.start_controller()
        for node in ("n1", "n2"):
            self.start_node(node)
        self._run("rest", "slurmrestd", "-a", "rest_auth/local", "-s", "openapi/v0.0.38", self.url)
        self._until(self._is_idle)

    def start_controller(self) -> None:
        self._run("controller", "slurmctld", "-D", "-i")

    def start_node(self, node: str) -> None:
        self._run(node, "slurmd", "-D", "-N", node)

    def kill(self, name: str) -> None:
        """SIGKILL for one daemon: `controller`, `n1`, `n2` or `rest`. What it has started runs on."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def say(self, *arguments: str) -> str:
        """What `scontrol` answers."""
        command = [str(_program("scontrol")), *arguments]
        run = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)
        return run.stdout + run.stderr

    def saved(self) -> str:
        """What the controller has written down of its jobs: what it has not, it forgets when it is killed."""
        path = self.folder / "state/job_state"
        return path.read_bytes().decode("latin-1") if path.exists() else ""

    def until_up(self) -> None:
        """Wait until the controller answers."""
        self._until(lambda: "UP" in self.say("ping"))

    def stop(self) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._running.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, program: str, *arguments: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            self._running[name] = subprocess.Popen(
                [str(_program(program)), *arguments], env=self._environment(), stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True,
                user=self._user if os.geteuid() == 0 else None,
                group="nogroup" if os.geteuid() == 0 else None, extra_groups=[] if os.geteuid() == 0 else None,
            )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "SLURM_CONF": str(self.folder / "slurm.conf"), "HOME": str(self.folder)}

    def _is_idle(self) -> bool:
        return self.socket.exists() and self.say("show", "nodes").count("State=IDLE ") == 2

    def _until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_LIMIT
        while not happened():
            if time.monotonic() > deadline:
                logs = "".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))
                outs = "".join(path.read_text()[-1000:] for path in self.folder.glob("*.out"))
                raise AssertionError(f"the cluster did not start: {self.say('show', 'nodes')}\n{logs}\n{outs}")
            time.sleep(10 * LOOK_AGAIN)


@contextmanager
def running_cluster() -> Iterator[SlurmCluster]:
    """A cluster that is up; the test is skipped where there can be none."""
    if reason := missing():
        pytest.skip(reason)
    cluster = SlurmCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def _ports(count: int) -> Sequence[int]:
    """Free ones, held together so that they are different."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports
