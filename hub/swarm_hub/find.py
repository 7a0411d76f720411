"""Finding rows: one by its id or the beginning of it, many by filters."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from sqlalchemy import ColumnElement, Connection, exists, func, or_, select

from swarm_api.base import Model
from swarm_api.errors import Conflict, MalformedRequest, NotFound
from swarm_api.ids import TASK_ID
from swarm_api.tasks import TaskList
from swarm_api.words import TaskStatus, TaskType
from swarm_hub.budgets.outlook import Outlook
from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads
from swarm_hub.views import task_view

t = schema.tasks.c


class TaskQuery(Model):
    """Filters of the list of tasks; all of them must hold. `q` is looked for in prompt and name."""

    status: list[TaskStatus] = []
    type: list[TaskType] = []
    label: Annotated[list[str], Field(description="`key` or `key=value`.")] = []
    q: Annotated[str | None, Field(max_length=200)] = None
    since: Annotated[AwareDatetime | None, Field(description="Created then or later.")] = None
    until: Annotated[AwareDatetime | None, Field(description="Created before.")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    cursor: Annotated[str | None, Field(description="`nextCursor` of the page before.")] = None
    page: Annotated[int | None, Field(ge=1, le=1_000_000)] = None


def find_task(connection: Connection, id_or_prefix: str) -> Any:
    """A task by its id or a unique beginning of it, with or without `tsk_`.

    Raises `NotFound`, and `Conflict` `ambiguous_id` with the `candidates`.
    """
    if TASK_ID.match(id_or_prefix):
        row = connection.execute(select(schema.tasks).where(t.id == id_or_prefix)).first()
    else:
        row = _by_prefix(connection, "tsk_" + id_or_prefix.removeprefix("tsk_"))
    if row is None:
        raise NotFound(f"there is no task {id_or_prefix}")
    return row


def _by_prefix(connection: Connection, prefix: str) -> Any:
    if len(prefix) <= len("tsk_"):
        return None
    query = select(schema.tasks).where(t.id >= prefix, t.id < prefix + "~").order_by(t.id).limit(10)
    rows = connection.execute(query).all()
    if len(rows) > 1:
        ids = [row.id for row in rows]
        raise Conflict(f"{prefix} begins several ids: {', '.join(ids)}", code="ambiguous_id", candidates=ids)
    return rows[0] if rows else None


def newest_seq(reads: Reads) -> int:
    return reads.execute(select(func.max(schema.events.c.seq))).scalar() or 0


def list_tasks(connection: Connection, query: TaskQuery, outlook: Outlook) -> TaskList:
    """A page of tasks, newest first. Raises `MalformedRequest` for a cursor that is none of ours."""
    if query.cursor is not None and (query.page is not None or not TASK_ID.match(query.cursor)):
        raise MalformedRequest("cursor: must be the `nextCursor` of an earlier page, without `page`")
    filters = _filters(query)
    total = connection.execute(select(func.count()).select_from(schema.tasks).where(*filters)).scalar_one()
    wanted = select(schema.tasks).where(*filters).order_by(t.id.desc()).limit(query.limit + 1)
    if query.cursor is not None:
        wanted = wanted.where(t.id < query.cursor)
    if query.page is not None:
        wanted = wanted.offset((query.page - 1) * query.limit)
    rows = connection.execute(wanted).all()
    shown = rows[: query.limit]
    return TaskList(
        tasks=[task_view(row, outlook) for row in shown],
        total=total,
        next_cursor=shown[-1].id if len(rows) > query.limit else None,
        page=query.page,
        limit=query.limit,
        seq=newest_seq(connection),
    )


def _filters(query: TaskQuery) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if query.status:
        filters.append(t.status.in_(query.status))
    if query.type:
        filters.append(t.type.in_(query.type))
    if query.q:
        filters.append(or_(t.prompt.icontains(query.q, autoescape=True), t.name.icontains(query.q, autoescape=True)))
    if query.since:
        filters.append(t.created_ms >= _ms(query.since))
    if query.until:
        filters.append(t.created_ms < _ms(query.until))
    filters.extend(_labelled(label) for label in query.label)
    return filters


def _labelled(label: str) -> ColumnElement[bool]:
    key, given, value = label.partition("=")
    of = schema.labels.c
    match = (of.task_id == t.id) & (of.key == key)
    return exists().where(match & (of.value == value) if given else match)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
