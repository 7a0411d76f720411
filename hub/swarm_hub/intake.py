"""Taking tasks in: names within a batch, cycles, dependencies, and the rows that make a task durable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic_core import to_json
from sqlalchemy import select

from swarm_api.base import CENT
from swarm_api.errors import InvalidInput, NotSupported
from swarm_api.ids import TASK_ID, new_task_id
from swarm_api.tasks import TaskIn
from swarm_api.words import FINISHED
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction

LEVEL_MS = 60 * 60 * 1000  # waiting an hour is worth one level of priority, so that nothing starves
RANK = {"high": -LEVEL_MS, "normal": 0, "low": LEVEL_MS}

UNSUPPORTED: Mapping[str, Any] = {
    "best_of": 1,
    "verify_attempts": 1,
    "paths": [],
    "conflict_policy": "warn",
    "permission_mode": "auto",
}
"""Fields of the contract that do nothing yet, and the value that asks for nothing."""


@dataclass(frozen=True)
class Defaults:
    """What a task has that says nothing of it. `traceparent`: the trace that it is submitted in."""

    timeout_minutes: float
    budget_cents: int
    traceparent: str | None = None


@dataclass(frozen=True)
class Draft:
    """A task that has its id and knows its dependencies by theirs."""

    id: str
    spec: TaskIn
    depends_on: tuple[str, ...]


def refuse_unsupported(spec: TaskIn, prefix: str = "") -> None:
    """Raises `NotSupported` for what the contract names and this version does not have: it is never ignored."""
    for name, idle in UNSUPPORTED.items():
        if getattr(spec, name) != idle:
            _unsupported(prefix, type(spec).model_fields[name].alias or name)


def _unsupported(prefix: str, field: str) -> None:
    raise NotSupported(
        f"{prefix}{field} is not supported by this version",
        errors=[{"loc": f"{prefix}{field}", "msg": "not supported by this version"}],
    )


def draft(specs: Sequence[TaskIn], prefix: str = "") -> list[Draft]:
    """Tasks with ids, in the order given. Raises `InvalidInput` for unknown, doubled or circular names.

    `prefix` is where a task's fields are in the request: empty, or `tasks.`.
    """
    ids = [new_task_id() for _ in specs]
    names = _names(specs, ids, prefix)
    drafts = [
        Draft(id_, spec, tuple(_dependency(spec, i, k, names, prefix) for k in range(len(spec.depends_on))))
        for i, (id_, spec) in enumerate(zip(ids, specs, strict=True))
    ]
    _refuse_cycle(drafts, prefix)
    return drafts


def _names(specs: Sequence[TaskIn], ids: Sequence[str], prefix: str) -> dict[str, str]:
    names: dict[str, str] = {}
    if not prefix:
        return names  # a task on its own has no batch whose names it could use
    for i, (spec, id_) in enumerate(zip(specs, ids, strict=True)):
        if spec.name is None:
            continue
        if spec.name in names:
            raise InvalidInput.field(f"{prefix}{i}.name", f"{spec.name!r} is the name of another task in the batch")
        names[spec.name] = id_
    return names


def _dependency(spec: TaskIn, i: int, k: int, names: Mapping[str, str], prefix: str) -> str:
    wanted = spec.depends_on[k]
    if wanted in names:
        return names[wanted]
    if TASK_ID.match(wanted):
        return wanted
    where = f"{prefix}{i}." if prefix else ""
    allowed = "a task's id or a name within the batch" if prefix else "a task's id"
    raise InvalidInput.field(f"{where}dependsOn.{k}", f"{wanted!r} is neither known here nor an id; allowed: {allowed}")


def _refuse_cycle(drafts: Sequence[Draft], prefix: str) -> None:
    index = {draft.id: i for i, draft in enumerate(drafts)}
    graph = {draft.id: inside for draft in drafts if (inside := index.keys() & draft.depends_on)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = [drafts[index[id_]].spec.name or f"{prefix}{index[id_]}" for id_ in reversed(error.args[1])]
        loc = f"{prefix}{index[error.args[1][0]]}.dependsOn"
        raise InvalidInput.field(loc, "a cycle: " + " → ".join(cycle)) from None


def create(tx: Transaction, drafts: Sequence[Draft], defaults: Defaults, prefix: str) -> list[dict[str, Any]]:
    """Store new tasks and their events: all of them or none. The rows, in the order given.

    Raises `InvalidInput` for a dependency that is unknown, failed or cancelled.
    """
    done = _completed(tx, drafts, prefix)
    rows = [_row(tx, draft, done, defaults) for draft in drafts]
    for draft, row in zip(drafts, rows, strict=True):
        tx.add(schema.tasks, row)
        for key, value in draft.spec.labels.items():
            tx.add(schema.labels, {"task_id": draft.id, "key": key, "value": value})
    for draft in drafts:  # after all the tasks of the batch: they may name each other
        for wanted in dict.fromkeys(draft.depends_on):
            tx.add(schema.dependencies, {"task_id": draft.id, "depends_on": wanted})
    return rows


def _completed(tx: Transaction, drafts: Sequence[Draft], prefix: str) -> set[str]:
    """Which of the dependencies outside the batch have completed already."""
    inside = {draft.id for draft in drafts}
    outside = {id_ for draft in drafts for id_ in draft.depends_on} - inside
    if not outside:
        return set()
    t = schema.tasks.c
    found = {row.id: row.status for row in tx.execute(select(t.id, t.status).where(t.id.in_(outside)))}
    for i, draft in enumerate(drafts):
        for k, wanted in enumerate(draft.depends_on):
            loc = f"{prefix}{i}.dependsOn.{k}" if prefix else f"dependsOn.{k}"
            if wanted not in found and wanted not in inside:
                raise InvalidInput.field(loc, f"there is no task {wanted}")
            if found.get(wanted) in FINISHED - {"completed"}:
                raise InvalidInput.field(loc, f"task {wanted} is {found[wanted]}: this one could never start")
    return {id_ for id_, status in found.items() if status == "completed"}


def _row(tx: Transaction, draft: Draft, done: set[str], defaults: Defaults) -> dict[str, Any]:
    spec = draft.spec
    payload: dict[str, Any] = {"name": spec.name, "type": spec.type, "model": spec.model, "priority": spec.priority}
    if defaults.traceparent is not None:
        payload["traceparent"] = defaults.traceparent
    waiting = len(set(draft.depends_on) - done)
    budget = defaults.budget_cents if spec.budget_cents is None else spec.budget_cents
    tx.notices.ready |= not (waiting or spec.hold)
    return {
        "id": draft.id,
        "spec": to_json(stored_spec(draft, defaults)).decode(),
        "prompt": spec.prompt,
        "name": spec.name,
        "status": "pending",
        "type": spec.type,
        "model": spec.model,
        "priority": spec.priority,
        "repo": spec.repo,
        "hold": int(spec.hold),
        "waiting_on": waiting,
        "rank": tx.now_ms + RANK[spec.priority],
        "live": 0,
        "agent_id": None,
        "attempts": 0,
        "tries": 0,
        "fresh": 0,
        "cancel_ms": None,
        "cause": None,
        "session_id": None,
        "log_seq": 0,
        "usage": None,
        "cost_micro_usd": 0,
        "budget_micro_usd": budget * CENT,
        "compute_micro_usd": 0,
        "blocked": None,
        "no_room": None,
        "result": None,
        "seq": tx.event("task_created", draft.id, {**payload, "repo": spec.repo, "dependsOn": draft.depends_on}),
        "created_ms": tx.now_ms,
        "started_ms": None,
        "finished_ms": None,
    }


def stored_spec(draft: Draft, defaults: Defaults) -> dict[str, Any]:
    """The task as accepted, its defaults settled: changing a setting later changes no task."""
    spec = draft.spec
    settled = spec.model_dump(by_alias=True, exclude={*UNSUPPORTED, "prompt", "budget_cents"})
    settled["dependsOn"] = draft.depends_on
    settled["timeoutMinutes"] = spec.timeout_minutes or defaults.timeout_minutes
    settled["tier"] = spec.effective_tier
    settled["repoSettings"] = spec.repo_settings or ("project" if spec.repo and spec.repo.startswith("/") else "none")
    return settled
