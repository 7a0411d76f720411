"""What waits and what runs, in numbers."""

from sqlalchemy import Connection, func, select, text

from swarm_api.agents import Queue
from swarm_api.words import LIVE
from swarm_hub.budgets.outlook import Outlook
from swarm_hub.budgets.shortage import without_room
from swarm_hub.find import newest_seq
from swarm_hub.store import schema

t, a = schema.tasks.c, schema.agents.c


def look_at_queue(connection: Connection, capacity: int, now_ms: int, outlook: Outlook) -> Queue:
    """`blocked` counts a task once for each of its reasons; `ready` has none and waits for its turn."""
    count = func.count()
    pending = (t.status == "pending") & (t.live == 0)
    waiting = select(count.filter(t.hold == 1), count.filter(t.waiting_on > 0), count).where(pending)
    held, depending, total = connection.execute(waiting).one()
    oldest, ready = connection.execute(select(func.min(t.created_ms), count).where(text(schema.READY))).one()
    short = without_room(connection, outlook)
    limited = ready if outlook.limited_until else 0
    no_room = connection.execute(select(count).where(t.no_room.is_not(None))).scalar_one()
    by_priority = connection.execute(select(t.priority, count).where(pending).group_by(t.priority)).all()
    running = connection.execute(select(count).where(a.released == 0, a.status.in_(LIVE))).scalar_one()
    return Queue(
        pending=total,
        ready=0 if limited else ready - short,
        blocked={"hold": held, "dependency": depending, "budget": short, "usage_limit": limited, "capacity": no_room},
        running=running,
        capacity=capacity,
        by_priority={"high": 0, "normal": 0, "low": 0, **dict(by_priority)},
        oldest_ready_seconds=max(0, now_ms - oldest) // 1000 if oldest and not limited and ready > short else 0,
        seq=newest_seq(connection),
    )
