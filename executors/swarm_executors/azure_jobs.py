"""Executions of a Container Apps job: what is started, and what one says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swarm_executors.protocol import TIERS, Handle, Launch, Observation

VERSION = "2026-07-01"  # of the API
HUB, AGENT = "SWARM_HUB_ID", "SWARM_AGENT_ID"
"""Variables of the worker's, by which its execution is found again: it has no name that we could give."""
ALIVE = frozenset({"Running", "Processing"})
ENDED = frozenset({"Succeeded", "Failed", "Stopped", "Degraded"})


@dataclass(frozen=True)
class AzureJob:
    """The job whose executions are workers. `image` is the worker's; it is named anew at each start."""

    subscription: str
    group: str
    job: str
    image: str
    management_url: str = "https://management.azure.com"

    @property
    def path(self) -> str:
        where = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{where}/providers/Microsoft.App/jobs/{self.job}"


def template(launch: Launch, job: AzureJob) -> dict[str, Any]:
    """The whole of it: what is given here replaces the job's own, and nothing of that is merged in.

    https://github.com/Azure/azure-cli/issues/27521. Memory goes with processors, two GiB for each.
    """
    cpus = TIERS[launch.tier].cpus
    variables = {
        "SWARM_HUB_URL": launch.hub_url, AGENT: launch.agent_id, "SWARM_WORKER_TOKEN": launch.token, HUB: launch.hub_id,
    }  # fmt: skip
    return {
        "containers": [
            {
                "name": "worker",
                "image": job.image,
                "env": [{"name": name, "value": value} for name, value in variables.items()],
                "resources": {"cpu": float(cpus), "memory": f"{2 * cpus}Gi"},
            }
        ]
    }


def handle_of(execution: Mapping[str, Any], job: AzureJob) -> Handle | None:
    """None for an execution that is no worker's."""
    told = _variables(execution)
    if AGENT not in told or HUB not in told:
        return None
    return {"agentId": told[AGENT], "hub": told[HUB], "job": job.job, "execution": execution["name"]}


def _variables(execution: Mapping[str, Any]) -> dict[str, str]:
    containers = (_properties(execution).get("template") or {}).get("containers") or ()
    return {each["name"]: each["value"] for one in containers for each in one.get("env") or () if "value" in each}


def _properties(execution: Mapping[str, Any]) -> Mapping[str, Any]:
    return execution.get("properties") or {}


def status_of(execution: Mapping[str, Any]) -> str:
    return str(_properties(execution).get("status") or "Unknown")


def started_at(execution: Mapping[str, Any]) -> tuple[str, str]:
    """In the order they began."""
    return str(_properties(execution).get("startTime") or "~"), str(execution["name"])


def observe(execution: Mapping[str, Any]) -> Observation:
    """What became of the worker, by its execution."""
    status = status_of(execution)
    if status in ALIVE:
        return Observation("alive")
    if status not in ENDED:
        return Observation("unknown", detail=f"its execution is {status!r}")
    code, said = _end(execution)
    if status == "Succeeded":
        return Observation("exited", code or 0)
    detail = f"its execution is {status}" + (f": {said}" if said else "")
    if any(words in said.lower().replace(" ", "") for words in ("oomkilled", "outofmemory")):
        return Observation("exited", code, detail, "out_of_memory")
    return Observation("exited", code, detail)


def _end(execution: Mapping[str, Any]) -> tuple[int | None, str]:
    """The container's exit code, which may be missing, and what is said of it."""
    properties = _properties(execution)
    replicas = (properties.get("detailedStatus") or {}).get("replicas") or ()
    containers = [each for replica in replicas for each in replica.get("containers") or ()]
    last: Mapping[str, Any] = containers[-1] if containers else {}
    said = last.get("additionalInformation") or properties.get("reason") or properties.get("message") or ""
    return last.get("code"), str(said)
