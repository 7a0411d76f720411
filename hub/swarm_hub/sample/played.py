"""A task from its submission to its end, as the rows and events that it would have left behind."""

from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from swarm_api.base import CENT, cents
from swarm_api.ids import short, task_id_at
from swarm_api.tasks import ErrorOut, Result
from swarm_api.words import EventType, ResultStatus
from swarm_hub.claims import hard_limit
from swarm_hub.intake import RANK, Defaults, Draft, stored_spec
from swarm_hub.prices import Prices
from swarm_hub.sample.subjects import MESSAGES
from swarm_hub.sample.wishes import Wish, model_at, retried_by_hub
from swarm_hub.sample.work import MOST_TURNS, Row, Used, Work
from swarm_hub.transitions import FINAL, RETRIED

DEFAULTS = Defaults(timeout_minutes=60, budget_cents=500)
_STATUS: dict[str, ResultStatus] = {
    "success": "success", "timeout": "timeout", "budget_exceeded": "budget", "cancelled": "cancelled",
}  # fmt: skip
_LOST = ("worker_lost", "start_failed")


class Moment(NamedTuple):
    """An event before it has its number."""

    at_ms: int
    type: EventType
    payload: Row


@dataclass
class Played:
    """All rows of one task. `moments` are in order; the task's `seq` comes with the journal."""

    wish: Wish
    task: Row
    depends_on: tuple[str, ...]
    agents: list[Row] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    controls: list[Row] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    @property
    def until_ms(self) -> int:
        """When the last of it happened."""
        return self.moments[-1].at_ms

    def happen(self, at_ms: int, type_: EventType, payload: Row) -> None:
        self.moments.append(Moment(at_ms, type_, {"taskId": self.task["id"], **payload}))


def submitted(rng: Random, wish: Wish, at_ms: int, number: int, depends_on: tuple[str, ...] = ()) -> Played:
    """A task as intake leaves it, the nth of its submission."""
    spec, id_ = wish.spec, task_id_at(at_ms, number, rng.getrandbits(35))
    played = Played(wish, _task_row(Draft(id_, spec, depends_on), at_ms), depends_on)
    played.happen(at_ms, "task_created", {
        "name": spec.name, "type": spec.type, "model": spec.model, "priority": spec.priority, "repo": spec.repo,
        "dependsOn": depends_on,
    })  # fmt: skip
    return played


def _task_row(draft: Draft, at_ms: int) -> Row:
    spec = draft.spec
    return {
        "id": draft.id, "spec": to_json(stored_spec(draft, DEFAULTS)).decode(), "prompt": spec.prompt,
        "name": spec.name, "status": "pending", "type": spec.type, "model": spec.model, "priority": spec.priority,
        "repo": spec.repo, "hold": int(spec.hold), "waiting_on": len(draft.depends_on),
        "rank": at_ms + RANK[spec.priority], "live": 0, "agent_id": None, "attempts": 0, "tries": 0, "fresh": 0,
        "cancel_ms": None, "cause": None, "session_id": None, "log_seq": 0, "usage": None, "cost_micro_usd": 0,
        "budget_micro_usd": DEFAULTS.budget_cents * CENT, "compute_micro_usd": 0, "blocked": None, "no_room": None,
        "result": None,
        "created_ms": at_ms, "started_ms": None, "finished_ms": None,
    }  # fmt: skip


def cancel_for(played: Played, cause: Played) -> None:
    """Its dependency has failed or was cancelled: it ends at the same moment, without having run."""
    at_ms, was = cause.task["finished_ms"], "failed" if cause.task["status"] == "failed" else "was cancelled"
    error = ErrorOut(code="dependency_failed", message=f"it depends on {cause.task['id']}, which {was}")
    result = Result(status="cancelled", error=error)
    played.happen(at_ms, "task_cancelled", {
        "agentId": None, "status": "cancelled", "filesChanged": [], "costCents": 0, "error": error,
        "cause": cause.task["id"],
    })  # fmt: skip
    played.task |= {
        "status": "cancelled", "cause": cause.task["id"], "result": result.to_json().decode(), "finished_ms": at_ms,
    }  # fmt: skip


class Player:
    """Plays the attempts at one task. `at`: where in the whole time it is, from 0 to 1."""

    def __init__(self, rng: Random, prices: Prices, played: Played, at: float) -> None:
        self._rng, self._prices, self._played, self._at = rng, prices, played, at
        self._used = Used()

    def play(self, ready_ms: int) -> None:
        """From when it may start until its end."""
        played = self._played
        ends, at_ms = played.wish.ends, ready_ms + self._wait()
        played.task["waiting_on"] = 0
        for attempt, end in enumerate(ends):
            work = self._attempt(attempt, end, at_ms)
            at_ms = self._settle(attempt, end, work)
            if attempt < len(ends) - 1:
                at_ms = self._again(attempt, end, at_ms)
        self._finish(ends[-1], work, at_ms)

    def _wait(self) -> int:
        """Mostly there is room at once; now and then there is a line."""
        rng = self._rng
        return rng.randint(300, 9_000) if rng.random() < 0.8 else min(1_500_000, int(rng.lognormvariate(11.8, 0.8)))

    def _attempt(self, attempt: int, end: str, claimed_ms: int) -> Work:
        played, rng = self._played, self._rng
        provider = "local" if rng.random() < 0.6 else "fly"
        id_ = f"{provider}-agent-{rng.getrandbits(32):08x}"
        started_ms = claimed_ms + (rng.randint(400, 1_500) if provider == "local" else rng.randint(3_000, 15_000))
        spec = played.wish.spec
        played.happen(claimed_ms, "agent_spawned", {"agentId": id_, "provider": provider, "tier": spec.effective_tier})
        played.happen(started_ms, "task_started", {"agentId": id_, "attempt": attempt + 1})
        played.task["started_ms"] = played.task["started_ms"] or started_ms
        line = played.task["log_seq"] + 1
        work = Work(rng, self._prices, played.task["id"], id_, started_ms, line, played.wish.place.files)
        model = spec.model if spec.model.startswith("claude") else model_at(rng, self._at, played.wish.family)
        work.do(self._turns(end), model, model_at(rng, self._at, "haiku"))
        if end == "timeout":
            work.now_ms = max(
                work.now_ms, started_ms + int((spec.timeout_minutes or DEFAULTS.timeout_minutes) * 60_000)
            )
        self._keep(attempt, end, claimed_ms, provider, work)
        return work

    def _turns(self, end: str) -> int:
        turns = self._played.wish.size * self._rng.lognormvariate(2.35, 0.3)
        if end != "success":
            turns *= 1.25 if end in ("max_turns", "budget_exceeded") else self._rng.uniform(0.2, 1.1)
        return max(2, min(MOST_TURNS, round(turns)))

    def _keep(self, attempt: int, end: str, claimed_ms: int, provider: str, work: Work) -> None:
        """The agent's row, and what it adds to its task."""
        played, rng, tier = self._played, self._rng, self._played.wish.spec.effective_tier
        placed, ended = claimed_ms + 200, work.now_ms + rng.randint(200, 900)
        compute = self._prices.machine(provider, tier, ended + rng.randint(500, 3_000) - placed).micro_usd
        files = sorted(rng.sample(work.files, rng.randint(1, 3)))
        cancelled = end == "cancelled"
        played.agents.append({
            "id": work.agent_id, "task_id": played.task["id"], "attempt": attempt + 1, "fresh": 0,
            "provider": provider, "region": "ord" if provider == "fly" else None, "tier": tier,
            "status": "lost" if end in _LOST else "finished", "handle": "{}", "released": 1,
            "incarnation": f"{rng.getrandbits(64):016x}", "stored_n": 2 * len(work.lines), "last_c": int(cancelled),
            "usage": work.used.to_json(), "cost_micro_usd": work.used.micro_usd, "reserved_micro_usd": 0,
            "held_micro_usd": 0, "compute_micro_usd": compute, "turns": work.turns, "last_tool": work.last_tool,
            "files": to_json(files).decode(), "cpu_percent": round(rng.uniform(2, 90), 1),
            "rss_mb": round(rng.uniform(180, 900), 1), "claimed_ms": claimed_ms,
            "deadline_ms": hard_limit(work.begun_ms, {"timeoutMinutes": played.wish.spec.timeout_minutes or 60}),
            "stop_ms": work.now_ms if cancelled or end == "budget_exceeded" else None,
            "stop_reason": "budget" if end == "budget_exceeded" else None, "placed_ms": placed,
            "heartbeat_ms": ended, "finished_ms": ended,
        })  # fmt: skip
        if cancelled:
            body = to_json({"kind": "cancel", "reason": "cancelled", "c": 1}).decode()
            played.controls.append({"agent_id": work.agent_id, "c": 1, "body": body})
        played.calls += work.calls
        played.lines += work.lines
        self._used.add_all(work.used)
        played.task |= {
            "agent_id": work.agent_id, "attempts": attempt + 1, "log_seq": work.next_line - 1,
            "usage": self._used.to_json(), "cost_micro_usd": self._used.micro_usd,
            "compute_micro_usd": played.task["compute_micro_usd"] + compute,
        }  # fmt: skip

    def _settle(self, attempt: int, end: str, work: Work) -> int:
        """The end of an agent; when that was."""
        played, agent = self._played, self._played.agents[-1]
        if end == "budget_exceeded":
            self._spend_all(work)
        lost = end in _LOST
        payload = {
            "agentId": work.agent_id, "status": _status(end), "costCents": cents(agent["cost_micro_usd"]),
            "costMicroUsd": agent["cost_micro_usd"], "error": _error(end),
        }  # fmt: skip
        played.happen(agent["finished_ms"], "agent_lost" if lost else "agent_completed", payload)
        if attempt < len(played.wish.ends) - 1 and retried_by_hub(played.wish.ends, attempt):
            played.happen(agent["finished_ms"], "task_retried", {**payload, "attempt": attempt + 2})
        return int(agent["finished_ms"])

    def _spend_all(self, work: Work) -> None:
        """Its budget was what it has spent and not enough for another call: told near its end, and at it."""
        played, spent, calls = self._played, 0, self._played.calls
        cost = played.task["cost_micro_usd"]
        budget = played.task["budget_micro_usd"] = -(-cost * 103 // (100 * 10 * CENT)) * 10 * CENT
        for call in calls:
            spent += call["cost_micro_usd"]
            if 5 * (spent - call["cost_micro_usd"]) < 4 * budget <= 5 * spent:
                played.happen(call["ended_ms"], "budget_warning", {
                    "scope": "task", "limitCents": budget // CENT, "spentCents": spent // CENT,
                })  # fmt: skip
        played.happen(work.now_ms, "budget_exceeded", {
            "agentId": work.agent_id, "scope": "task", "limitCents": cents(budget), "spentCents": cents(cost),
        })  # fmt: skip

    def _again(self, attempt: int, end: str, at_ms: int) -> int:
        """When the next attempt is claimed: at once where a crash is no fault of the work, else when somebody asks."""
        if end in RETRIED:
            self._played.task["tries"] += 1
            return at_ms + self._rng.randint(300, 3_000)
        played = self._played
        self._end(end, None, at_ms)
        asked_ms = at_ms + self._rng.randint(120_000, 2_400_000)
        played.happen(asked_ms, "task_retried", {"agentId": None, "attempt": attempt + 2, "fresh": False})
        played.task |= {"tries": 0, "cancel_ms": None}
        return asked_ms + self._rng.randint(300, 3_000)

    def _finish(self, end: str, work: Work, at_ms: int) -> None:
        task = self._played.task
        task["tries"] += 1
        task["session_id"] = f"{self._rng.getrandbits(64):016x}"
        result = self._end(end, work, at_ms)
        spare = max(DEFAULTS.budget_cents, -(-cents(task["cost_micro_usd"]) * 3 // 1_000) * 1_000) * CENT
        if end != "budget_exceeded":
            task["budget_micro_usd"] = spare
        task |= {"status": FINAL[result.status], "result": result.to_json().decode(), "finished_ms": at_ms}

    def _end(self, end: str, work: Work | None, at_ms: int) -> Result:
        """The event of a final state, and its result."""
        played = self._played
        if end == "cancelled":
            played.task["cancel_ms"] = played.agents[-1]["stop_ms"]
        result = self._result(end, work)
        played.happen(at_ms, f"task_{FINAL[result.status]}", {  # type: ignore[arg-type]  # one of three event types
            "agentId": played.agents[-1]["id"], "status": result.status, "filesChanged": result.files_changed,
            "costCents": result.cost_cents, "costMicroUsd": played.task["cost_micro_usd"], "branch": result.branch,
            "error": result.error,
        })  # fmt: skip
        return result

    def _result(self, end: str, work: Work | None) -> Result:
        played, agent, rng = self._played, self._played.agents[-1], self._rng
        described: dict[str, Any] = {"status": _status(end), "error": _error(end)}
        if end not in _LOST:
            described |= {
                "summary": "Done; the tests pass." if end == "success" else "",
                "branch": f"swarm/{short(played.task['id'])}-{_slug(played)}",
                "base_commit": f"{rng.getrandbits(160):040x}", "commit": f"{rng.getrandbits(160):040x}",
                "files_changed": from_json(agent["files"]),
                "additions": int(rng.lognormvariate(3.6, 1.0)), "deletions": int(rng.lognormvariate(2.6, 1.1)),
                "duration_ms": work.now_ms - work.begun_ms if work else 0, "turns": agent["turns"],
            }  # fmt: skip
        return Result(**described, cost_cents=cents(played.task["cost_micro_usd"]))


def _slug(played: Played) -> str:
    said = played.wish.spec.name or played.wish.spec.prompt
    return "-".join("".join(c if c.isalnum() else " " for c in said.lower()).split())[:40].strip("-")


def _status(end: str) -> ResultStatus:
    return _STATUS.get(end, "failure")


def _error(end: str) -> ErrorOut | None:
    return None if end == "success" else ErrorOut(code=end, message=MESSAGES[end])
