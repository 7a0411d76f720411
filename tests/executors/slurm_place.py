"""A real Slurm cluster as a place, with small programs for workers."""

import os
import signal
from dataclasses import replace
from pathlib import Path

from executors.conformance import HUB
from executors.local_place import CHILD, WORKER, processes_of
from executors.slurm_cluster import SlurmCluster
from swarm_api import ids
from swarm_executors.calls import Patience
from swarm_executors.protocol import Handle
from swarm_executors.slurm import SlurmExecutor
from swarm_executors.slurm_jobs import Cluster
from waiting import until

PYTHON = "/usr/bin/python3"  # one that every user of the machine may run
QUICK = Patience(timeout=10, tries=5, first=0.01, most=0.1)
ENDED_WITH_IT = """
import atexit
atexit.register(child.kill)
"""
"""As real workers do. Slurm itself sees to what has left a job where cgroups tell it (`proctrack/cgroup`)."""
PREPARED = """
import os
from pathlib import Path
agent = os.environ["SWARM_AGENT_ID"]
os.environ["SWARM_AGENT"] = agent
os.makedirs(agent, exist_ok=True)
os.chdir(agent)
Path("pid").write_text(str(os.getpid()))
Path("node").write_text(os.environ["SLURMD_NODENAME"])
"""


class SlurmPlace:
    def __init__(self, cluster: SlurmCluster) -> None:
        self._cluster = cluster
        self._jobs = cluster.folder / "jobs"
        self._executors: list[SlurmExecutor] = []

    def executor(self) -> SlurmExecutor:
        return self.running(CHILD + ENDED_WITH_IT)

    def stubborn(self) -> SlurmExecutor:
        return self.running(CHILD + ENDED_WITH_IT + "signal.signal(signal.SIGTERM, signal.SIG_IGN)")

    def broken(self) -> SlurmExecutor:
        return self.of(replace(self._of("true"), partition="tiny"))

    def running(self, program: str) -> SlurmExecutor:
        """An executor whose workers run these lines of Python before they are ready."""
        path = self._cluster.folder / f"worker-{len(list(self._cluster.folder.glob('worker-*')))}.py"
        path.write_text(PREPARED + WORKER.replace("PROGRAM", program))
        return self.of(self._of(f"{PYTHON} -S {path}"))

    def of(self, cluster: Cluster, patience: Patience = QUICK) -> SlurmExecutor:
        executor = SlurmExecutor(cluster, patience, poll_every=0.1)
        self._executors.append(executor)
        return executor

    def _of(self, worker: str) -> Cluster:
        return Cluster(self._cluster.url, worker=worker, folder=str(self._jobs))

    def folder(self, agent_id: str) -> Path:
        return self._jobs / agent_id

    async def is_ready(self, handle: Handle) -> None:
        await until((self.folder(handle["agentId"]) / "ready").exists, 15)

    def starts(self, agent_id: str) -> int:
        return len((self.folder(agent_id) / "starts").read_text().splitlines())

    def is_running(self, agent_id: str) -> bool:
        return bool(processes_of(agent_id))

    def has_saved(self, agent_id: str) -> bool:
        return (self.folder(agent_id) / "saved").exists()

    def finish(self, handle: Handle, exit_code: int) -> None:
        (self.folder(handle["agentId"]) / "code").write_text(str(exit_code))
        os.kill(self.pid(handle), signal.SIGUSR1)

    def pid(self, handle: Handle) -> int:
        return int((self.folder(handle["agentId"]) / "pid").read_text())

    def lose(self, handle: Handle) -> None:
        """What a cluster that was made anew says of an old job's number: it is another's."""
        handle["jobId"] = 999_999

    def unknown(self) -> Handle:
        return {"agentId": ids.new_agent_id("slurm"), "hub": "nobody", "jobId": 999_999, "name": "nobody"}

    async def aclose(self) -> None:
        last = self.of(self._of("true"))
        for handle in [*await last.list(HUB), *await last.list("another-hub")]:
            await last.stop(handle, 0.1)
        for executor in self._executors:
            await executor.aclose()
