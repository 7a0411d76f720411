"""Tasks that a limit has no room for, as the database finds them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, case, exists, false, func, select, text

from swarm_hub.budgets.lines import Line
from swarm_hub.budgets.outlook import Outlook
from swarm_hub.budgets.purse import NO_LIMIT
from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads

t, la = schema.tasks.c, schema.labels.c


def without_room(reads: Reads, outlook: Outlook) -> int:
    """How many tasks could start but for a budget."""
    short = needs_more_than([(line, line.left) for line in outlook.lines])
    query = select(func.count()).select_from(schema.tasks).where(text(schema.READY), short)
    return int(reads.execute(query).scalar_one())


def needs_more_than(rooms: Sequence[tuple[Line, int]]) -> ColumnElement[bool]:
    """Whether a task needs more than there is room for in one of its limits."""
    need = t.budget_micro_usd - t.cost_micro_usd
    of_all = [_room(room) for line, room in rooms if not line.label]
    of_labels = {line.label: _room(room) for line, room in rooms if line.label}
    more = need > min(of_all) if of_all else false()
    if not of_labels:
        return more
    # One look at a task's labels, however many limits there are.
    room = case(of_labels, value=schema.LABEL, else_=NO_LIMIT)
    return more | exists().where(la.task_id == t.id, need > room)


def _room(room: int) -> int:
    """Where nothing is left there is no room for a task that needs nothing either."""
    return room if room > 0 else -NO_LIMIT
