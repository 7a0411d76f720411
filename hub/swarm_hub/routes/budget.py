"""What may be spent, and what is."""

from typing import Any

from starlette.responses import Response

from swarm_api.base import CENT, cents, from_ms
from swarm_api.budget import Budget, BudgetIn, LabelStanding, Standing
from swarm_api.errors import InvalidInput
from swarm_hub.budgets.budgets import tell
from swarm_hub.budgets.limits import keep_limits
from swarm_hub.budgets.lines import Line
from swarm_hub.find import newest_seq
from swarm_hub.http import Call, parse, reply
from swarm_hub.queue import without_room
from swarm_hub.store.transaction import Reads, Transaction

_WORST = ("exceeded", "warning", "ok")


async def show(call: Call) -> Response:
    now_ms = call.hub.store.now_ms()
    return reply(await call.hub.store.read(lambda connection: _standing(connection, call, now_ms)))


async def change(call: Call) -> Response:
    """New limits hold from this commit on, and what waits for them starts."""
    wish = parse(BudgetIn, await call.fields())
    _refuse_doubles(wish)

    def work(tx: Transaction) -> Budget:
        budgets = call.hub.budgets
        before = {(line.scope, line.label): line.state() for line in budgets.lines(tx, tx.now_ms)}
        new = keep_limits(tx, budgets.environment, wish)
        for line in budgets.lines(tx, tx.now_ms):
            tell(tx, line, before.get((line.scope, line.label), "ok"))
        labels = ", ".join(f"{each.label} {each.limit_cents} a {each.period}" for each in new.labels)
        detail = f"{new.daily_cents} cents a day, {new.weekly_cents} a week" + (f"; {labels}" if labels else "")
        call.record(tx, "budget.change", detail=detail[:1000])
        tx.notices.freed = tx.notices.money = True
        return _standing(tx, call, tx.now_ms)

    return reply(await call.hub.store.write(work))


def _refuse_doubles(wish: BudgetIn) -> None:
    seen: set[str] = set()
    for i, each in enumerate(wish.labels or ()):
        if each.label in seen:
            raise InvalidInput.field(f"labels.{i}.label", f"{each.label!r} has a limit already; allowed: one for each")
        seen.add(each.label)


def _standing(reads: Reads, call: Call, now_ms: int) -> Budget:
    budgets = call.hub.budgets
    limits = budgets.limits(reads)
    daily, weekly, *labels = lines = budgets.lines(reads, now_ms)
    periods = {each.label: each.period for each in limits.labels}
    return Budget(
        daily=Standing(**_amounts(daily, now_ms)),
        weekly=Standing(**_amounts(weekly, now_ms)),
        labels=[
            LabelStanding(label=line.label, period=periods[line.label], **_amounts(line, now_ms)) for line in labels
        ],
        state=min((line.state() for line in lines), key=_WORST.index),
        waiting=without_room(reads, budgets.outlook(reads, now_ms)),
        time_zone=budgets.zone.key,
        seq=newest_seq(reads),
    )


def _amounts(line: Line, now_ms: int) -> dict[str, Any]:
    return {
        "limit_cents": cents(line.limit),
        "spent_cents": cents(line.spent),
        "reserved_cents": cents(line.reserved),
        "remaining_cents": max(0, line.left) // CENT,
        "forecast_cents": cents(line.forecast(now_ms)),
        "spent_micro_usd": line.spent,
        "reserved_micro_usd": line.reserved,
        "resets_at": from_ms(line.span.end_ms),
        "state": line.state(),
    }
