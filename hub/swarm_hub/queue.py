"""What waits and what runs, in numbers."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, case, exists, false, func, select, text

from swarm_api.agents import Queue
from swarm_api.words import LIVE
from swarm_hub.budgets.lines import Line
from swarm_hub.budgets.outlook import Outlook
from swarm_hub.budgets.purse import NO_LIMIT
from swarm_hub.find import newest_seq
from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads

t, a, la = schema.tasks.c, schema.agents.c, schema.labels.c


def look_at_queue(connection: Connection, capacity: int, now_ms: int, outlook: Outlook) -> Queue:
    """`blocked` counts a task once for each of its reasons; `ready` has none and waits for its turn."""
    count = func.count()
    pending = (t.status == "pending") & (t.live == 0)
    waiting = select(count.filter(t.hold == 1), count.filter(t.waiting_on > 0), count).where(pending)
    held, depending, total = connection.execute(waiting).one()
    oldest, ready = connection.execute(select(func.min(t.created_ms), count).where(text(schema.READY))).one()
    short = without_room(connection, outlook)
    limited = ready if outlook.limited_until else 0
    by_priority = connection.execute(select(t.priority, count).where(pending).group_by(t.priority)).all()
    running = connection.execute(select(count).where(a.released == 0, a.status.in_(LIVE))).scalar_one()
    return Queue(
        pending=total,
        ready=0 if limited else ready - short,
        blocked={"hold": held, "dependency": depending, "budget": short, "usage_limit": limited},
        running=running,
        capacity=capacity,
        by_priority={"high": 0, "normal": 0, "low": 0, **dict(by_priority)},
        oldest_ready_seconds=max(0, now_ms - oldest) // 1000 if oldest and not limited and ready > short else 0,
        seq=newest_seq(connection),
    )


def without_room(reads: Reads, outlook: Outlook) -> int:
    """How many tasks could start but for a budget."""
    short = needs_more_than([(line, line.left) for line in outlook.lines])
    query = select(func.count()).select_from(schema.tasks).where(text(schema.READY), short)
    return int(reads.execute(query).scalar_one())


def needs_more_than(rooms: Sequence[tuple[Line, int]]) -> ColumnElement[bool]:
    """Whether a task needs more than there is room for in one of its limits."""
    need = t.budget_micro_usd - t.cost_micro_usd
    of_all = [max(0, room) for line, room in rooms if not line.label]
    of_labels = {line.label: max(0, room) for line, room in rooms if line.label}
    more = need > min(of_all) if of_all else false()
    if not of_labels:
        return more
    # One look at a task's labels, however many limits there are.
    room = case(of_labels, value=la.key + "=" + la.value, else_=NO_LIMIT)
    return more | exists().where(la.task_id == t.id, need > room)
