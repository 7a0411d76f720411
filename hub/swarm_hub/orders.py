"""What a worker is told when it claims its agent."""

import hashlib
import re
from pathlib import Path
from typing import Any

from pydantic_core import from_json
from sqlalchemy import bindparam, select

from swarm_api.errors import Conflict
from swarm_api.ids import short
from swarm_api.redaction import Redactor
from swarm_api.worker import Limits, Resume, Sandbox, Source, Upstream, WorkOrder
from swarm_executors.protocol import TIERS
from swarm_hub.claims import hard_limit
from swarm_hub.settings import Settings
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction
from swarm_hub.transitions import Pair, change_agent, change_task, load_agent, refuse_stale

LONGEST_TRANSCRIPT = 64 * 1024 * 1024  # characters
s = schema.sessions.c
KEPT = (
    select(s.entries)
    .where(s.task_id == bindparam("task"), s.session_id == bindparam("session"))
    .order_by(s.attempt, s.n)
)
_SHAPES = Redactor()
UPLOAD = "swarm://git/"
"""Before the name of a repository that was pushed to this hub."""


def claim_order(
    tx: Transaction, agent_id: str, incarnation: str, settings: Settings, upstream: Upstream,
    elsewhere: Source | None = None,
) -> WorkOrder:  # fmt: skip
    """The work order, for the first worker process that asks and for that one alone; asked again, the same.

    `elsewhere`: where an agent of another machine finds the code.

    Raises `Conflict` `stale_agent` for any other, and when the agent is no longer current.
    """
    pair = load_agent(tx, agent_id)
    refuse_stale(pair)
    if pair.agent.incarnation not in (None, incarnation):
        raise Conflict(f"agent {agent_id} is carried by another worker", code="stale_agent")
    if pair.agent.incarnation is None:
        _begin(tx, pair, incarnation)
    return _order(pair, settings, upstream, elsewhere, _resume(tx, pair))


def _begin(tx: Transaction, pair: Pair, incarnation: str) -> None:
    """The worker's time runs from here, and what a fresh attempt leaves is what another one goes on with."""
    task, agent = pair
    deadline = hard_limit(tx.now_ms, from_json(task.spec))
    change_agent(
        tx, agent.id, status="running", incarnation=incarnation, deadline_ms=deadline, heartbeat_ms=tx.now_ms
    )  # fmt: skip
    seq = tx.event("task_started", task.id, {"agentId": agent.id, "attempt": agent.attempt})
    session = None if agent.fresh else task.session_id
    change_task(
        tx, task.id, status="running", started_ms=task.started_ms or tx.now_ms, fresh=0, session_id=session, seq=seq
    )  # fmt: skip


def _order(
    pair: Pair, settings: Settings, upstream: Upstream, elsewhere: Source | None, resume: Resume | None
) -> WorkOrder:
    task, agent = pair
    spec = from_json(task.spec)
    size = TIERS[agent.tier]
    return WorkOrder(
        agent_id=agent.id,
        task_id=task.id,
        attempt=agent.attempt,
        name=spec["name"],
        prompt=task.prompt,
        context=spec["context"],
        model=spec["model"],
        runtime=settings.agent_runtime,
        labels=spec["labels"],
        source=elsewhere or _here(task, spec, settings),
        branch=branch(task),
        deliver="patch" if spec["deliver"] == "patch" else "branch",
        push=spec["push"] and not hub_delivers(task, agent),
        verify=spec["verify"],
        repo_settings=spec["repoSettings"],
        limits=Limits(
            timeout_seconds=spec["timeoutMinutes"] * 60,
            memory_mb=size.memory_mb,
            cpus=size.cpus,
            max_turns=spec["maxTurns"],
            max_budget_micro_usd=_told_budget(pair, settings),
        ),
        upstream=upstream,
        resume=resume,
        workspace=str(settings.data_dir) if agent.provider == "local" else None,
        sandbox=_sandbox(settings) if agent.provider == "local" else None,
    )


def _resume(tx: Transaction, pair: Pair) -> Resume | None:
    """What an attempt goes on with; on another machine with the session as it was mirrored, unless that is too long."""
    task, agent = pair
    if agent.attempt == 1 or agent.fresh:
        return None
    if agent.provider == "local" or task.session_id is None:
        return Resume(session_id=task.session_id)
    texts = list(tx.execute(KEPT, {"task": task.id, "session": task.session_id}).scalars())
    if sum(map(len, texts)) > LONGEST_TRANSCRIPT:
        return Resume(session_id=None)
    return Resume(session_id=task.session_id, transcript=[entry for text in texts for entry in from_json(text)])


def _here(task: Any, spec: dict[str, Any], settings: Settings) -> Source:
    """For a worker of this machine: what was pushed to the hub is a repository like any other."""
    found = source(spec)
    if found.kind != "upload":
        return found
    return Source(kind="local", location=str(repository(task, settings.data_dir)), base_ref=found.base_ref)


def hub_delivers(task: Any, agent: Any) -> bool:
    """Whether the hub has something to do with an agent's branch before its task has completed."""
    elsewhere = agent.provider != "local"
    if not elsewhere and "pull_request" not in task.spec:
        return False  # as nearly always: its JSON need not be read
    spec = from_json(task.spec)
    kind = source(spec).kind
    if spec["deliver"] == "patch":
        return False
    return spec["deliver"] == "pull_request" or (elsewhere and (kind == "local" or (spec["push"] and kind == "url")))


def _told_budget(pair: Pair, settings: Settings) -> int | None:
    """Where no gateway watches, the runtime is told what its attempt may cost: what others have left of the budget."""
    if settings.agent_runtime != "claude" or settings.metered:
        return None
    task, agent = pair
    return max(0, int(task.budget_micro_usd) - int(task.cost_micro_usd - agent.cost_micro_usd))


def _sandbox(settings: Settings) -> Sandbox | None:
    if settings.local_sandbox == "none":
        return None
    return Sandbox(kind=settings.local_sandbox, network=settings.local_sandbox_network)


def source(spec: dict[str, Any]) -> Source:
    """Where a task's code comes from; `owner/name` is GitHub's."""
    repo = spec["repo"]
    if repo is None:
        return Source(kind="scratch")
    if repo.startswith("/"):
        return Source(kind="local", location=repo, base_ref=spec["baseRef"])
    if repo.startswith(UPLOAD):
        return Source(kind="upload", location=repo.removeprefix(UPLOAD), base_ref=spec["baseRef"])
    url = repo if ":" in repo else f"https://github.com/{repo}.git"
    return Source(kind="url", location=url, base_ref=spec["baseRef"])


def branch(task: Any) -> str:
    """`swarm/<short id>-<slug>`: the same for every attempt at the task."""
    said = _SHAPES.text(task.name or task.prompt[:1000])  # a token in a prompt is the agent's, a branch is everybody's
    words = re.findall(r"[a-z0-9]+", said[:200].lower())
    slug = "-".join(words)[:40].strip("-") or "task"
    return f"swarm/{short(task.id)}-{slug}"


def repository(task: Any, data_dir: Path) -> Path:
    """The repository on this machine that holds a task's branch."""
    where = source(from_json(task.spec))
    if where.kind == "local":
        return Path(where.location)
    if where.kind == "scratch":
        return data_dir / "scratch" / branch(task).removeprefix("swarm/")
    if where.kind == "upload":
        return upload_at(data_dir, where.location)
    return kept_at(data_dir, where.location)


def upload_at(data_dir: Path, name: str) -> Path:
    """The repository that somebody pushed to this hub."""
    return data_dir / "uploads" / f"{name}.git"


def kept_at(data_dir: Path, location: str) -> Path:
    """The bare repository that is kept of another one; workers of this machine look for it in the same place."""
    return data_dir / "clones" / f"{hashlib.sha256(location.encode()).hexdigest()[:16]}.git"
