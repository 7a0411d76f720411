"""Machines as Fly's API has them: what is asked for, and what one says of itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from swarm_executors.protocol import TIERS, Handle, Launch, Observation

HUB, AGENT = "swarm_hub", "swarm_agent"
"""Keys of a machine's metadata."""
RUNS = frozenset({
    "created", "creating", "starting", "started", "stopping", "restarting", "suspending", "suspended", "updating",
    "replacing", "launch",
})  # fmt: skip
ENDED = frozenset({"stopped", "failed", "launch_failed", "destroying", "destroyed", "replaced"})
ENDS_BY_ITSELF = 30  # seconds a worker gets to keep the work where Fly itself stops its machine


@dataclass(frozen=True)
class FlyApp:
    """Where workers run on Fly. `image` is the worker's; `regions` in the order they are tried."""

    token: str
    app: str
    image: str
    regions: tuple[str, ...] = ("ord", "iad", "sjc")
    api_url: str = "https://api.machines.dev"
    logs_url: str = "https://api.fly.io"

    @property
    def authorization(self) -> str:
        """https://github.com/superfly/fly-go/blob/main/tokens/tokens.go: macaroons have a scheme of their own."""
        parts = self.token.removeprefix("Bearer ").removeprefix("FlyV1 ").strip().split(",")
        macaroons = [part for part in parts if part.startswith(("fm1r_", "fm1a_", "fm2_"))]
        return f"FlyV1 {','.join(macaroons)}" if macaroons else f"Bearer {parts[0]}"


def name_of(launch: Launch) -> str:
    """Unique in its app while the machine is there, which makes it the key by which a start happens once."""
    return f"{launch.hub_id}-{launch.agent_id}"


def request(launch: Launch, app: FlyApp, region: str) -> dict[str, Any]:
    """A machine that runs one worker, and is gone when that ends."""
    size = TIERS[launch.tier]
    return {
        "name": name_of(launch),
        "region": region,
        "skip_service_registration": True,
        "config": {
            "image": app.image,
            "auto_destroy": True,
            "restart": {"policy": "no"},  # left out it is `on-failure`, and a second worker would begin
            "guest": {"cpu_kind": "shared", "cpus": size.cpus, "memory_mb": size.memory_mb},
            "env": {
                "SWARM_HUB_URL": launch.hub_url,
                "SWARM_AGENT_ID": launch.agent_id,
                "SWARM_WORKER_TOKEN": launch.token,
            },
            "metadata": {HUB: launch.hub_id, AGENT: launch.agent_id},
            "stop_config": {"signal": "SIGTERM", "timeout": f"{ENDS_BY_ITSELF}s"},
            "dns": {"skip_registration": True},
        },
    }


def handle_of(machine: Mapping[str, Any], app: str) -> Handle | None:
    """None for a machine that is no worker's."""
    of = _metadata(machine)
    if AGENT not in of or HUB not in of:
        return None
    return {
        "agentId": of[AGENT], "hub": of[HUB], "app": app, "machineId": machine["id"], "region": machine.get("region"),
    }  # fmt: skip


def _metadata(machine: Mapping[str, Any]) -> Mapping[str, str]:
    config = machine.get("config") or machine.get("incomplete_config") or {}  # null while its host is away
    return config.get("metadata") or {}


def observe(machine: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> Observation:
    """What became of the worker, by its machine's state and events."""
    state = machine.get("state")
    if state in RUNS:
        away = machine.get("host_status") == "unreachable"
        return Observation("unknown", detail="its host is not reached") if away else Observation("alive")
    if state not in ENDED:
        return Observation("unknown", detail=f"its machine is {state!r}")
    exit_event = _exit(events)
    if exit_event is None and state == "destroying":
        return Observation("alive")
    if exit_event is None:
        words = "its machine is gone without a word of how its worker ended"
        return Observation("lost", detail=words, cause="host_lost")
    return _ended(exit_event)


def _exit(events: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The newest exit. What is asked for in an event is null in most."""
    found = [(event.get("timestamp") or 0, told) for event in events if (told := _told(event))]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _told(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    asked = event.get("request") or {}
    told: Mapping[str, Any] | None = (asked.get("MonitorEvent") or {}).get("exit_event") or asked.get("exit_event")
    return told


def _ended(told: Mapping[str, Any]) -> Observation:
    code = told.get("exit_code", told.get("guest_exit_code"))
    if told.get("oom_killed"):
        return Observation("exited", code, "it took more memory than its machine has", "out_of_memory")
    return Observation("exited", code, f"the worker ended with {code}" if code else "")
