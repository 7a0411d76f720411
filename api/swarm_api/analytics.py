"""Questions about cost and progress: figures of a period, and SQL."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from swarm_api.base import Answer, Model, Timestamp
from swarm_api.words import TaskStatus

MetricsPeriod = Literal["day", "week", "month"]
MOST_ROWS = 5_000_000
Parameter = str | int | float | bool | None
Params = list[Parameter] | dict[str, Parameter] | None
RowsFormat = Literal["csv", "arrow", "parquet"]
ROWS_FORMATS: dict[RowsFormat, str] = {
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
PATIENCE = 60.0  # seconds for an answer: a question may wait for its turn, and then take its time


class Cost(Answer):
    """What the model cost."""

    cost_cents: int = 0
    cost_micro_usd: int = 0


class Used(Cost):
    """Requests to the model that ended, their tokens, and what they cost."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


class Done(Cost):
    """`tasks` were submitted in the time, the others ended in it; the cost is that of the requests that ended in it."""

    tasks: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


class Totals(Used, Done):
    """All of it, and the agents that were made."""

    agents: int = 0


class Point(Done):
    """From `at` until the next one: an hour of a day, a day of a week or month."""

    at: Timestamp


class Durations(Answer):
    """Of tasks that completed or failed, from the first attempt on: half took `p50` at most, 95 of 100 took `p95`."""

    p50: int | None = None
    p95: int | None = None


class Summary(Answer):
    """`from` is the first moment, `to` the first that is no longer in it. `success_rate`: completed of completed and
    failed, from 0 to 1."""

    from_: Annotated[Timestamp, Field(alias="from")]
    to: Timestamp
    totals: Totals
    duration_ms: Durations
    success_rate: float | None


class Metrics(Summary):
    """A day, a week from Monday or a month of `time_zone`, the one that is now. `previous`: the whole one before.

    `active_tasks` are pending or running; `cost_…` are cents, as budgets count them. `by_repo` has the hundred that
    cost most; a scratch repository has an empty name. `by_status`: tasks submitted in the period, as they are now.
    """

    active_tasks: int
    running_agents: int
    completed_today: int
    failed_today: int
    cost_today: int
    cost_this_week: int
    period: MetricsPeriod
    time_zone: str
    by_model: dict[str, Used]
    by_type: dict[str, Done]
    by_status: dict[TaskStatus, int]
    by_repo: dict[str, Done]
    series: list[Point]
    previous: Summary
    seq: int


class QueryIn(Model):
    """One SELECT over the tables of `GET /api/schema`, in DuckDB's SQL. `params` are for `?` and `$1`, or `$name`."""

    sql: Annotated[str, Field(min_length=1, max_length=100_000)]
    params: Annotated[list[Parameter], Field(max_length=1_000)] | dict[str, Parameter] | None = None
    limit: Annotated[
        int, Field(ge=1, le=MOST_ROWS, description="Rows at most; `truncated` says if there are more.")
    ] = 10_000


class QueryColumn(Answer):
    """`type` as DuckDB names it."""

    name: str
    type: str


class QueryOut(Answer):
    """`seq`: the newest event that is taken into account."""

    columns: list[QueryColumn]
    rows: list[list[Any]]
    truncated: bool
    seq: int


class QueryFile(NamedTuple):
    """An answer as the bytes of a file; the rest as in `QueryOut`."""

    content: bytes
    rows: int
    truncated: bool
    seq: int


class ColumnOut(Answer):
    name: str
    type: str
    description: str


class TableOut(Answer):
    name: str
    description: str
    columns: list[ColumnOut]


class SchemaOut(Answer):
    """The tables that may be asked. `time_zone`: whose days `day` means."""

    tables: list[TableOut]
    time_zone: str
