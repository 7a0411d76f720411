"""The book of calls to the model: each is opened before it is forwarded, and settled by what its answer said."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from pydantic_core import to_json
from sqlalchemy import bindparam, select, text, update

from swarm_api.errors import NotFound
from swarm_api.words import LIVE, CostBasis
from swarm_api.worker import UsageReport
from swarm_hub.budgets.budgets import Budgets
from swarm_hub.gateway.asked import Asked
from swarm_hub.gateway.meter import Meter
from swarm_hub.gateway.refusals import Refused
from swarm_hub.prices import Cost, Metered, Prices
from swarm_hub.spent import MOST, TOKENS, added
from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads, Transaction
from swarm_hub.transitions import Pair, StopReason, change_agent, change_task, load_agent, stale, stop_for

m, a = schema.model_calls.c, schema.agents.c
NOTHING = Metered()
_LIVING = select(a.id).where(a.id == bindparam("agent"), a.status.in_(LIVE))

Unopened = Literal["wait", "no_room", "over_limit"]
"""Why a call cannot be made. `wait`: there will be room once others of its agent's are settled. `no_room`: its agent's
own money is spent. `over_limit`: the day's is, the week's or a label's, which was lowered since the agent began."""


@dataclass(frozen=True)
class Answered:
    """How a call ended. `usage` is what was metered, `complete` whether that is all. No `status`: no answer came."""

    usage: Metered = NOTHING
    complete: bool = True
    model: str | None = None
    status: int | None = None
    upstream_id: str | None = None
    stop_reason: str | None = None
    first_ms: int | None = None

    @classmethod
    def of(cls, meter: Meter, status: int, upstream_id: str | None, first_ms: int | None) -> "Answered":
        """An answer that is no success costs nothing, whatever it says."""
        if status >= 300:
            return cls(status=status, upstream_id=upstream_id, first_ms=first_ms)
        return cls(meter.usage, meter.complete, meter.model, status, upstream_id, meter.stop_reason, first_ms)


@dataclass(frozen=True)
class Ledger:
    """Each call once: what it may cost is held inside its agent's reservation until what it did cost is booked."""

    prices: Prices
    budgets: Budgets

    def open(
        self, tx: Transaction, call_id: str, agent_id: str, asked: Asked, *, shorten: bool = False
    ) -> Asked | Unopened:
        """Note a call that will be made, if there is money for it; as it shall be made.

        `shorten`: rather with a shorter answer than not at all. Raises `Refused` for an agent that has ended.
        """
        task, agent = refuse_ended(tx, agent_id)
        free = agent.reserved_micro_usd - agent.held_micro_usd
        if shorten:
            asked = self._shortened(asked, free, tx.now_ms, shared=agent.held_micro_usd > 0)
        hold = self._most(asked, tx.now_ms)
        if hold > free:
            return "wait" if hold <= agent.reserved_micro_usd else "no_room"
        if not self.budgets.bears(tx, task, hold):
            return "over_limit"
        tx.add(schema.model_calls, {
            **dict.fromkeys(schema.model_calls.c.keys()), **dict.fromkeys(TOKENS, 0),
            "id": call_id, "agent_id": agent_id, "task_id": task.id, "asked_ms": tx.now_ms, "model": asked.model,
            "hold_micro_usd": hold, "cost_micro_usd": 0,
        })  # fmt: skip
        change_agent(tx, agent_id, held_micro_usd=agent.held_micro_usd + hold)
        return asked

    def settle(self, tx: Transaction, call_id: str, asked: Asked, answered: Answered) -> None:
        """What it cost, on the books of its agent and task. Once for each call, and for each id of the Messages API."""
        row = tx.execute(select(schema.model_calls).where(m.id == call_id, m.ended_ms.is_(None))).first()
        if row is None:
            return
        if _known(tx, answered.upstream_id):
            answered = Answered(status=answered.status)
        usage, doubt = _with_input(answered, asked)
        model = answered.model or row.model
        cost = self.prices.cost(model, usage, _day(row.asked_ms)) if usage.prompt or usage.output else Cost(0, model)
        # A guess is never more than the most that the call could cost.
        amount = min(cost.micro_usd, row.hold_micro_usd if doubt else MOST)
        reason = "; ".join(part for part in (doubt, cost.basis if cost.estimated else "") if part)
        tx.execute(update(schema.model_calls).where(m.id == call_id).values(
            ended_ms=tx.now_ms, status=answered.status, upstream_id=answered.upstream_id, model=model,
            **{name: getattr(usage, name) for name in TOKENS},
            server_tools=to_json(dict(usage.server_tools)).decode() if usage.server_tools else None,
            service_tier=usage.service_tier, stop_reason=answered.stop_reason, first_ms=answered.first_ms,
            cost_micro_usd=amount, estimated=reason or None,
        ))  # fmt: skip
        self._book(tx, row, model, usage, amount, "estimated" if reason else "metered")

    def settle_left_open(self, tx: Transaction) -> int:
        """Calls that a hub was killed in: nobody knows what came, so they cost the most they may have. How many."""
        left = tx.execute(select(schema.model_calls).where(text(schema.OPEN))).all()
        for row in left:
            values = {"ended_ms": tx.now_ms, "cost_micro_usd": row.hold_micro_usd, "estimated": "the hub was killed"}
            tx.execute(update(schema.model_calls).where(m.id == row.id).values(values))
            self._book(tx, row, row.model, NOTHING, row.hold_micro_usd, "estimated")
        return len(left)

    def give_up(self, tx: Transaction, agent_id: str) -> None:
        """There is no money left for the agent: it is asked to stop, and its task will end with `budget`."""
        pair = refuse_ended(tx, agent_id)
        stop_for(tx, pair, "budget")

    def pause(self, tx: Transaction, agent_id: str, reason: StopReason) -> None:
        """Nobody may call the model for long: the agent is asked to stop, and its task waits."""
        stop_for(tx, refuse_ended(tx, agent_id), reason)

    def _shortened(self, asked: Asked, free: int, now_ms: int, *, shared: bool) -> Asked:
        """With the longest answer that there is money for, but not less than is of use.

        `shared`: others of its agent's calls are open, and more may come: it takes half of what is left.
        """
        if self._most(asked, now_ms) <= free:
            return asked
        lengths = range(asked.least_tokens, asked.max_tokens + 1)
        most = free // 2 if shared else free
        fitting = bisect_right(lengths, most, key=lambda tokens: self._most(asked.shortened(tokens), now_ms))
        return asked.shortened(lengths[max(0, fitting - 1)])

    def _most(self, asked: Asked, now_ms: int) -> int:
        return self.prices.worst_case(
            asked.model, asked.input_tokens, asked.max_tokens, _day(now_ms),
            speed=asked.speed, tool_uses=asked.tool_uses, cache_writes=asked.cache_writes,
        ).micro_usd  # fmt: skip

    def _book(self, tx: Transaction, row: Any, model: str, usage: Metered, cost: int, basis: CostBasis) -> None:
        task, agent = load_agent(tx, row.agent_id)
        held = max(0, agent.held_micro_usd - row.hold_micro_usd)
        live = agent.status in LIVE
        left = max(agent.reserved_micro_usd - cost, held) if live else held
        if not live:  # what it held and did not need is there for others
            tx.notices.freed = tx.notices.money = True
        change_agent(tx, agent.id, held_micro_usd=held, reserved_micro_usd=left)
        if not cost:
            return
        report = UsageReport(model=model, **{name: getattr(usage, name) for name in TOKENS}, cost_micro_usd=cost)
        self.budgets.charge(tx, task, cost)
        change_agent(tx, agent.id, **added(agent, {}, report, basis))
        change_task(tx, task.id, **added(task, {}, report, basis))


def refuse_ended(tx: Transaction, agent_id: str) -> Pair:
    """Raises `Refused` for an agent that is not its task's current one, or that there never was."""
    try:
        pair = load_agent(tx, agent_id)
    except NotFound:
        raise Refused("permission_error", f"there is no agent {agent_id}") from None
    if stale(pair):
        raise Refused("permission_error", f"agent {agent_id} has ended")
    return pair


def has_ended(reads: Reads, agent_id: str) -> bool:
    return reads.execute(_LIVING, {"agent": agent_id}).first() is None


def _known(tx: Transaction, upstream_id: str | None) -> bool:
    if upstream_id is None:
        return False
    return tx.execute(select(m.id).where(m.upstream_id == upstream_id)).first() is not None


def _with_input(answered: Answered, asked: Asked) -> tuple[Metered, str]:
    """Where the answer broke off before it told its input, that is guessed upward; and why it is a guess."""
    usage = answered.usage
    if answered.complete:
        return usage, ""
    if usage.prompt == 0:
        usage = replace(usage, input=asked.guessed_tokens)
    return usage, "no answer came" if answered.status is None else "the answer was cut off"


def _day(ms: int) -> date:
    return datetime.fromtimestamp(ms / 1000, UTC).date()
