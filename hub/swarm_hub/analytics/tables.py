"""The star schema that questions are asked of: every table and column with a sentence. What is here is the reference.

Nothing of prompts, answers, log lines or tools' inputs is in it: `metrics:read` opens numbers, not work.
"""

from typing import NamedTuple


class Column(NamedTuple):
    """`type` as DuckDB names it. Times are instants; money is whole micro-dollars."""

    name: str
    type: str
    meaning: str


class Table(NamedTuple):
    """`source`: the query behind a view; none: the table is kept as it is."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    source: str = ""


_TASK = Column("task_id", "VARCHAR", "The task.")
_AGENT = Column("agent_id", "VARCHAR", "The agent: one attempt at the task.")
_COST = Column("cost_micro_usd", "BIGINT", "What the model cost, in micro-dollars.")
_COMPUTE = Column("compute_micro_usd", "BIGINT", "What its machines cost, once they are gone, in micro-dollars.")
_TOKENS = (
    Column("input_tokens", "BIGINT", "Tokens read that no cache was used for."),
    Column("output_tokens", "BIGINT", "Tokens written by the model."),
    Column("cache_read_tokens", "BIGINT", "Tokens read from the cache."),
    Column("cache_write_5m_tokens", "BIGINT", "Tokens written to the cache for five minutes."),
    Column("cache_write_1h_tokens", "BIGINT", "Tokens written to the cache for an hour."),
)
_USAGE = (
    Column("request_id", "VARCHAR", "The request to the model; `<agent>/<model>` where agents report sums."),
    _TASK,
    _AGENT,
    Column("type", "VARCHAR", "The task's type."),
    Column("repo", "VARCHAR", "The task's repository; none: a scratch one."),
    Column("model", "VARCHAR", "The model that answered."),
    Column("asked_at", "TIMESTAMPTZ", "When it was asked."),
    Column("ended_at", "TIMESTAMPTZ", "When the answer ended: that day it counts on."),
    Column("day", "DATE", "The day of `ended_at` in the hub's time zone, as budgets count it."),
    Column("duration_ms", "BIGINT", "From the question to the end of the answer."),
    Column("first_ms", "BIGINT", "From the question to the first piece of the answer."),
    Column("http_status", "INTEGER", "The status of the answer; none: nobody answered, or sums that were reported."),
    Column("stop_reason", "VARCHAR", "Why the model stopped."),
    *_TOKENS,
    _COST,
    Column("basis", "VARCHAR", "`metered` at the gateway, `estimated` there in part, or `reported` by the agent."),
)
_EVENT = (
    Column("seq", "BIGINT", "Its number: events have one order."),
    Column("type", "VARCHAR", "What happened."),
    _TASK,
    _AGENT,
    Column("status", "VARCHAR", "How it ended, where something did."),
    Column("error_code", "VARCHAR", "Why it did not succeed."),
    Column("happened_at", "TIMESTAMPTZ", "When."),
)
_TOOL_START = (
    _TASK,
    _AGENT,
    Column("line", "BIGINT", "The line of the task's log that tells of it."),
    Column("tool", "VARCHAR", "The tool's name."),
    Column("tool_use_id", "VARCHAR", "The model's own id of the call."),
    Column("parent_id", "VARCHAR", "The call of a subagent that it belongs to."),
    Column("started_at", "TIMESTAMPTZ", "When it was called."),
)
_TOOL_END = (
    Column("finished_at", "TIMESTAMPTZ", "When it answered, as far as its agent told."),
    Column("failed", "BOOLEAN", "Whether it answered with an error."),
)

_NOTICE = (
    _EVENT[0],
    _EVENT[1],
    _TASK,
    Column("happened_at", "TIMESTAMPTZ", "When."),
    Column("payload", "VARCHAR", "What the event says, as JSON."),
)
NOTICES = frozenset({"budget_warning", "budget_exceeded"})
"""The events that are kept whole."""
_BUDGETS = (
    "SELECT seq, type, payload->>'$.scope' AS scope, payload->>'$.label' AS label, task_id,"
    " (payload->>'$.limitCents')::BIGINT * 10000 AS limit_micro_usd,"
    " (payload->>'$.spentCents')::BIGINT * 10000 AS spent_micro_usd, happened_at FROM {notices}"
)

TABLES: tuple[Table, ...] = (
    Table("tasks", "A row for each task, as it is now.", (
        _TASK,
        Column("name", "VARCHAR", "Its name, where it was given one."),
        Column("status", "VARCHAR", "`pending`, `running`, `completed`, `failed` or `cancelled`."),
        Column("result", "VARCHAR", "How it ended: `success`, `failure`, `cancelled`, `timeout` or `budget`."),
        Column("error_code", "VARCHAR", "Why it did not succeed."),
        Column("type", "VARCHAR", "`code`, `review`, `docs`, `test`, `security` or `research`."),
        Column("model", "VARCHAR", "The model as it was asked for; `usage` has those that answered."),
        Column("priority", "VARCHAR", "`high`, `normal` or `low`."),
        Column("tier", "VARCHAR", "The size of its machine: `light`, `standard` or `heavy`."),
        Column("repo", "VARCHAR", "Its repository; none: a scratch one."),
        Column("created_at", "TIMESTAMPTZ", "When it was submitted."),
        Column("started_at", "TIMESTAMPTZ", "When an agent of it first began."),
        Column("finished_at", "TIMESTAMPTZ", "When it ended, for the last time so far."),
        Column("waited_ms", "BIGINT", "From its submission until it began."),
        Column("duration_ms", "BIGINT", "From its beginning to its end."),
        Column("attempts", "INTEGER", "Agents that were made for it."),
        Column("budget_micro_usd", "BIGINT", "What all its attempts may spend on the model, in micro-dollars."),
        _COMPUTE,
        _COST,
        *_TOKENS,
        Column("turns", "INTEGER", "Turns of the attempt that ended it."),
        Column("files_changed", "INTEGER", "Files that its result changes."),
        Column("additions", "INTEGER", "Lines that its result adds."),
        Column("deletions", "INTEGER", "Lines that its result takes away."),
        Column("log_lines", "BIGINT", "Lines in its log."),
    )),
    Table("labels", "A row for each label of a task.", (
        _TASK,
        Column("key", "VARCHAR", "The label's name."),
        Column("value", "VARCHAR", "The label's value."),
    )),
    Table("dependencies", "A row for each task that another waits for.", (
        _TASK,
        Column("depends_on", "VARCHAR", "The task that must complete first."),
    )),
    Table("agents", "A row for each agent, as it is now.", (
        _AGENT,
        _TASK,
        Column("attempt", "INTEGER", "Which attempt at its task: 1, 2, 3 …"),
        Column("provider", "VARCHAR", "Where it runs."),
        Column("region", "VARCHAR", "The provider's region."),
        Column("tier", "VARCHAR", "The size of its machine."),
        Column("status", "VARCHAR", "`starting`, `running`, `stopping`, `finished` or `lost`."),
        Column("claimed_at", "TIMESTAMPTZ", "When it was made."),
        Column("finished_at", "TIMESTAMPTZ", "When it ended."),
        Column("duration_ms", "BIGINT", "From its making to its end."),
        Column("turns", "INTEGER", "Turns so far."),
        Column("last_tool", "VARCHAR", "The tool it used last."),
        Column("files_touched", "INTEGER", "Files it has touched."),
        Column("cpu_percent", "DOUBLE", "Of its whole process tree, at its last report."),
        Column("rss_mb", "DOUBLE", "Memory of its whole process tree, at its last report."),
        Column("reserved_micro_usd", "BIGINT", "What is set aside for it and not spent, in micro-dollars."),
        _COMPUTE,
        _COST,
        *_TOKENS,
    )),
    Table("usage", "A row for each request to the model that has ended. What agents report themselves is a row for each"
          " agent and model.", _USAGE, "SELECT * FROM kept.metered UNION ALL SELECT * FROM kept.reported"),
    Table("spending", "What budgets count: a row for each quarter of an hour and label, and one for all together.", (
        Column("quarter", "TIMESTAMPTZ", "The beginning of the quarter."),
        Column("day", "DATE", "Its day in the hub's time zone."),
        Column("key", "VARCHAR", "The label's name; none: all tasks, whatever their labels."),
        Column("value", "VARCHAR", "The label's value."),
        Column("spent_micro_usd", "BIGINT", "What was spent on the model, in micro-dollars."),
    )),
    Table("budgets", "A row for each time that a limit was nearly or fully spent.", (
        _EVENT[0],
        Column("type", "VARCHAR", "`budget_warning` or `budget_exceeded`."),
        Column("scope", "VARCHAR", "What is limited: `daily`, `weekly`, `label` or `task`."),
        Column("label", "VARCHAR", "The label, as `key=value`, of a label's limit."),
        Column("task_id", "VARCHAR", "The task, of a task's own limit."),
        Column("limit_micro_usd", "BIGINT", "The limit then, in micro-dollars."),
        Column("spent_micro_usd", "BIGINT", "What was spent by then, in micro-dollars."),
        Column("happened_at", "TIMESTAMPTZ", "When."),
    ), _BUDGETS.format(notices="kept.notices")),
    Table("events", "A row for each event of the journal, the archived ones among them.", _EVENT,
          "SELECT * FROM kept.events"),
    Table("tool_calls", "A row for each call of a tool that an agent told of in its log.", (
        *_TOOL_START,
        *_TOOL_END,
        Column("duration_ms", "BIGINT", "From the call to the answer."),
    ), "SELECT s.*, e.finished_at, e.failed, epoch_ms(e.finished_at) - epoch_ms(s.started_at)"
       " FROM kept.tool_starts s LEFT JOIN (SELECT agent_id, tool_use_id, min(finished_at) AS finished_at,"
       " bool_or(failed) AS failed FROM kept.tool_ends GROUP BY ALL) e USING (agent_id, tool_use_id)"),
    Table("log_volume", "How much was logged: a row for each task, agent, stream and hour.", (
        _TASK,
        _AGENT,
        Column("stream", "VARCHAR", "`agent`, `tool`, `stdout`, `stderr` or `system`."),
        Column("hour", "TIMESTAMPTZ", "The beginning of the hour."),
        Column("lines", "BIGINT", "Lines."),
        Column("characters", "BIGINT", "Characters in them."),
    )),
    Table("projection", "One row: how far these tables have come.", (
        Column("seq", "BIGINT", "The newest event that is in them."),
        Column("time_zone", "VARCHAR", "The time zone of `day`, and of dates that questions make of times."),
    ), "SELECT seq, time_zone FROM kept.state"),
)  # fmt: skip

KEPT: tuple[Table, ...] = (
    Table("kept.events", "Events that were not in the archive when they were taken in.", _EVENT),
    Table("kept.notices", "Those of them that are kept whole.", _NOTICE),
    Table("kept.metered", "Ended requests of the gateway.", _USAGE),
    Table("kept.reported", "What the gateway's book does not explain: sums that agents reported.", _USAGE),
    Table("kept.tool_starts", "Calls of tools.", _TOOL_START),
    Table("kept.tool_ends", "Answers of tools.", (_AGENT, _TOOL_START[4], *_TOOL_END)),
    Table("kept.open_calls", "Requests that had not ended when they were last looked at.", (
        Column("place", "BIGINT", "Where it is in the hub's book."),
    )),
    Table("kept.tasks_left", "Tasks that may have changed without an event.", (_TASK,)),
    Table("kept.state", "One row: the cursor, and what shows that the hub's database is still the same.", (
        Column("version", "VARCHAR", "Of the schema and of the settings that rows depend on."),
        Column("time_zone", "VARCHAR", "Of `day`."),
        Column("generation", "BIGINT", "Changes applied so far."),
        Column("seq", "BIGINT", "The newest event."),
        Column("call_place", "BIGINT", "The newest place in the book of calls."),
        Column("quarter", "BIGINT", "The last quarter of an hour in which something was spent."),
        Column("anchor", "VARCHAR", "What stands at these two places in the hub's database."),
        Column("gap", "BIGINT", "The newest event of the last task taken in that the journal no longer names."),
    )),
)  # fmt: skip

_NEWER = "seq > (SELECT coalesce(max(seq), 0) FROM {parts})"
_KEPT_WHOLE = (
    f"(SELECT {', '.join(column.name for column in _NOTICE)} FROM {{parts}}"
    f" WHERE type IN ({', '.join(map(repr, sorted(NOTICES)))}) UNION ALL SELECT * FROM kept.notices WHERE {_NEWER})"
)
WITH_PARTS = (
    f"CREATE OR REPLACE VIEW events AS SELECT {', '.join(column.name for column in _EVENT)} FROM {{parts}}"
    f" UNION ALL SELECT * FROM kept.events WHERE {_NEWER}",
    f"CREATE OR REPLACE VIEW budgets AS {_BUDGETS.format(notices=_KEPT_WHOLE)}",
)
"""The views as they are once it is known where the `parts` of the archive are."""
NAMES = frozenset(table.name for table in TABLES)


def ddl() -> list[str]:
    """What makes an empty projection."""
    made = [*KEPT, *(table for table in TABLES if not table.source)]
    return ["CREATE SCHEMA kept", *map(_table, made), *(_view(table) for table in TABLES if table.source)]


def _table(table: Table) -> str:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    return f"CREATE TABLE {table.name} ({columns})"


def _view(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"CREATE VIEW {table.name} ({names}) AS {table.source}"
