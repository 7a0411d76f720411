"""Jobs as slurmrestd has them: what is submitted, and what one says of itself. The shapes differ by API version."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swarm_executors.protocol import TIERS, Handle, Launch, Observation

STRUCTURED = 40
"""From v0.0.40 on numbers say whether they are set, states are lists, and an exit code is taken apart."""
ALIVE = frozenset({
    "PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT", "SIGNALING", "RESIZING", "STOPPED",
    "REQUEUED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT",
})  # fmt: skip
HOST_LOST = frozenset({"NODE_FAIL", "BOOT_FAIL"})
ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "DEADLINE", "PREEMPTED", "OUT_OF_MEMORY", "REVOKED"})
NODES_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Cluster:
    """Where workers run. `url`: of slurmrestd, or `unix:` and its socket. `worker`: its program on the nodes.

    `folder`: a folder of every node, where the workers' output goes.
    """

    url: str
    version: str = "v0.0.38"
    partition: str | None = None
    user: str | None = None
    jwt: str | None = None
    worker: str = "swarm-worker"
    folder: str = "/tmp"  # noqa: S108  # nosec B108  # the one folder that every node has

    @property
    def structured(self) -> bool:
        found = re.fullmatch(r"v0\.0\.(\d+)", self.version)
        return found is not None and int(found[1]) >= STRUCTURED


def name_of(launch: Launch) -> str:
    """The one thing by which a job is found again when the answer to its submission was lost."""
    return f"{launch.hub_id}-{launch.agent_id}"


def submission(launch: Launch, cluster: Cluster) -> dict[str, Any]:
    """One worker, run once: Slurm itself would run it again after the loss of its node, and nobody would know."""
    size = TIERS[launch.tier]
    variables = {
        "PATH": NODES_PATH,
        "SWARM_HUB_URL": launch.hub_url,
        "SWARM_AGENT_ID": launch.agent_id,
        "SWARM_WORKER_TOKEN": launch.token,
    }
    listed = [f"{key}={value}" for key, value in variables.items()]
    job: dict[str, Any] = {
        "name": name_of(launch),
        "tasks": 1,
        "cpus_per_task": size.cpus,
        "memory_per_node": {"set": True, "number": size.memory_mb} if cluster.structured else size.memory_mb,
        # Up to v0.0.39 `requeue` is read as true whatever it says (tried with 22.05.8); what is left out is true, too.
        **({"requeue": False} if cluster.structured else {"no_requeue": True}),
        "dependency": "singleton",
        "current_working_directory": cluster.folder,
        "standard_output": f"{cluster.folder}/swarm-%j.out",
        "environment": listed if cluster.structured else variables,
        "comment": json.dumps({"hub": launch.hub_id, "agent": launch.agent_id}),
    }
    if cluster.partition:
        job["partition"] = cluster.partition
    return {"job": job, "script": f"#!/bin/sh\nexec {cluster.worker}\n"}


def handle_of(job: Mapping[str, Any]) -> Handle | None:
    """None for a job that is no worker's."""
    found = re.fullmatch(r"([0-9a-z-]+?)-([a-z]+-agent-[0-9a-f]{8})", str(job.get("name")))
    return {"agentId": found[2], "hub": found[1], "jobId": job["job_id"], "name": job["name"]} if found else None


def state_of(job: Mapping[str, Any]) -> str:
    state = job.get("job_state")
    words = state if isinstance(state, list) else [state]
    return next((str(word) for word in words if str(word) in ENDED | HOST_LOST), str(words[0]) if words else "")


def runs(job: Mapping[str, Any]) -> bool:
    return state_of(job) in ALIVE


def hears(job: Mapping[str, Any]) -> bool:
    """Whether there is a worker that could be asked to end: before that, and after it, Slurm refuses to signal it."""
    return state_of(job) == "RUNNING"


def observe(job: Mapping[str, Any]) -> Observation:
    """What became of the worker, by its job."""
    state, reason = state_of(job), str(job.get("state_reason") or "None")
    if state in ALIVE:
        return Observation("alive")
    if state in HOST_LOST:
        return Observation("lost", detail=f"its node is lost ({reason})", cause="host_lost")
    if state not in ENDED:
        return Observation("unknown", detail=f"its job is {state!r}")
    code = _code(job.get("exit_code"))
    if state == "OUT_OF_MEMORY":
        return Observation("exited", code, "it took more memory than its job has", "out_of_memory")
    return Observation("exited", code, "" if state == "COMPLETED" else f"its job is {state} ({reason})")


def _code(status: Any) -> int | None:
    """A raw wait status, or one that is taken apart; 128 and the signal for a worker that one ended."""
    if isinstance(status, Mapping):
        signal = _number((status.get("signal") or {}).get("id"))
        return 128 + signal if signal else _number(status.get("return_code"))
    if not isinstance(status, int):
        return None
    return 128 + (status & 0x7F) if status & 0x7F else status >> 8 & 0xFF


def _number(value: Any) -> int | None:
    if isinstance(value, Mapping):
        return int(value["number"]) if value.get("set") else None
    return value if isinstance(value, int) else None
