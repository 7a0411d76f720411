"""The tables. Times are milliseconds since the epoch, money whole micro-dollars, JSON is text."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

metadata = MetaData()

hub = Table("hub", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

tasks = Table(
    "tasks",
    metadata,
    Column("id", String, primary_key=True),
    Column("spec", Text, nullable=False),  # the TaskIn as accepted but for its prompt, dependencies as ids
    Column("prompt", Text, nullable=False),
    Column("name", String),
    Column("status", String, nullable=False),
    Column("type", String, nullable=False),
    Column("model", String, nullable=False),
    Column("priority", String, nullable=False),
    Column("repo", String),
    Column("hold", Integer, nullable=False),
    Column("waiting_on", Integer, nullable=False),  # dependencies that have not completed
    Column("rank", Integer, nullable=False),  # the order of starting: time of submission, moved by priority
    Column("live", Integer, nullable=False),  # 1 while an agent of it is starting, running or stopping
    Column("agent_id", String),  # the newest attempt
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),  # attempts since it was submitted or retried by hand
    Column("fresh", Integer, nullable=False),  # the next attempt starts from the base
    Column("cancel_ms", Integer),  # when a cancel was accepted
    Column("cause", String),  # the dependency for whose sake it was cancelled
    Column("session_id", String),
    Column("log_seq", Integer, nullable=False),
    Column("usage", Text),
    Column("cost_micro_usd", Integer, nullable=False),
    Column("budget_micro_usd", Integer, nullable=False),  # for all its attempts
    Column("compute_micro_usd", Integer, nullable=False),  # of its agents' machines
    Column("blocked", String),  # the reason for which it was passed over when it could have started, as journaled
    Column("no_room", Text),  # why its agent is not started yet, as the contract shows it
    Column("result", Text),
    Column("seq", Integer, nullable=False),  # its newest event
    Column("created_ms", Integer, nullable=False),
    Column("started_ms", Integer),
    Column("finished_ms", Integer),
)
READY = "status = 'pending' AND hold = 0 AND waiting_on = 0 AND live = 0"
Index("tasks_ready", tasks.c.rank, sqlite_where=text(READY), postgresql_where=text(READY))
Index("tasks_status", tasks.c.status, tasks.c.id)

dependencies = Table(
    "dependencies",
    metadata,
    Column("task_id", ForeignKey("tasks.id"), primary_key=True),
    Column("depends_on", ForeignKey("tasks.id"), primary_key=True, index=True),
)

labels = Table(
    "labels",
    metadata,
    Column("task_id", ForeignKey("tasks.id"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
    Index("labels_value", "key", "value", "task_id"),
)

LABEL = labels.c.key + "=" + labels.c.value  # as limits name it

agents = Table(
    "agents",
    metadata,
    Column("id", String, primary_key=True),
    Column("task_id", ForeignKey("tasks.id"), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("fresh", Integer, nullable=False),  # starts from the base, whatever earlier attempts left
    Column("provider", String, nullable=False),
    Column("region", String),
    Column("tier", String, nullable=False),
    Column("status", String, nullable=False),
    Column("handle", Text),
    Column("released", Integer, nullable=False),  # 1 when its executor has nothing of it any more
    Column("incarnation", String),  # the worker process that claimed the order
    Column("stored_n", Integer, nullable=False),
    Column("last_c", Integer, nullable=False),
    Column("usage", Text),
    Column("cost_micro_usd", Integer, nullable=False),
    Column("reserved_micro_usd", Integer, nullable=False),  # set aside for it and not spent; never less than is held
    Column("held_micro_usd", Integer, nullable=False),  # what its open calls to the model may cost at most
    Column("compute_micro_usd", Integer, nullable=False),  # of its machine, once that is gone
    Column("turns", Integer, nullable=False),
    Column("last_tool", String),
    Column("files", Text),
    Column("cpu_percent", Float),
    Column("rss_mb", Float),
    Column("claimed_ms", Integer, nullable=False),
    Column("deadline_ms", Integer, nullable=False),  # the hard limit: then the executor stops it
    Column("stop_ms", Integer),  # when it was asked to stop
    Column("stop_reason", String),  # `budget`, `usage_limit` or `limit`, where that is why
    Column("placed_ms", Integer),  # when its executor had taken it
    Column("heartbeat_ms", Integer),
    Column("finished_ms", Integer),
)
UNRELEASED = "released = 0"
Index("agents_unreleased", agents.c.id, sqlite_where=text(UNRELEASED), postgresql_where=text(UNRELEASED))

RESERVED = "reserved_micro_usd > 0"
Index("agents_reserved", agents.c.id, sqlite_where=text(RESERVED), postgresql_where=text(RESERVED))

deliveries = Table(
    "deliveries",
    metadata,
    Column("agent_id", ForeignKey("agents.id"), primary_key=True),
    Column("task_id", ForeignKey("tasks.id"), nullable=False),
    Column("result", Text, nullable=False),  # what its worker reported; the task's end once it is delivered
    Column("at_ms", Integer, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("task_id", ForeignKey("tasks.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("n", Integer, primary_key=True),  # of the report that brought it
    Column("session_id", String, nullable=False),
    Column("entries", Text, nullable=False),  # as the runtime wrote them
    sqlite_with_rowid=False,
)

spent = Table(
    "spent",
    metadata,
    Column("quarter", Integer, primary_key=True, autoincrement=False),  # of an hour, since the epoch, in UTC
    Column("label", String, primary_key=True),  # `key=value`, or empty for all tasks
    Column("micro_usd", Integer, nullable=False),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("type", String, nullable=False),
    Column("task_id", String),
    Column("payload", Text, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Index("events_task", "task_id", "seq"),
)

log_lines = Table(
    "log_lines",
    metadata,
    Column("task_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("agent_id", String, nullable=False),
    Column("stream", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("elapsed_ms", Integer, nullable=False),
    Column("data", Text),
    sqlite_with_rowid=False,
)

controls = Table(
    "controls",
    metadata,
    Column("agent_id", String, primary_key=True),
    Column("c", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)

patches = Table(
    "patches",
    metadata,
    Column("task_id", String, primary_key=True),
    Column("patch", LargeBinary, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("caller", String, primary_key=True),
    Column("path", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("body_hash", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at_ms", Integer, nullable=False, index=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("hash", LargeBinary, nullable=False),  # bcrypt
    Column("scopes", Text, nullable=False),
    Column("maker", String, nullable=False),
    Column("parent", String),  # the key without which this one is worth nothing
    Column("created_ms", Integer, nullable=False),
    Column("expires_ms", Integer),
    Column("revoked_ms", Integer),
)

tokens = Table(
    "tokens",
    metadata,
    Column("jti", String, primary_key=True),
    Column("root", String, nullable=False, index=True),  # the token that it was first refreshed from
    Column("sub", String, nullable=False),
    Column("device", String),
    Column("expires_ms", Integer, nullable=False, index=True),
    Column("revoked_ms", Integer),
    Index("tokens_device", "sub", "device"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at_ms", Integer, nullable=False),
    Column("who", String, nullable=False, index=True),
    Column("action", String, nullable=False),
    Column("target", String),
    Column("outcome", String, nullable=False),
    Column("address", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("detail", Text),
)

model_calls = Table(
    "model_calls",
    metadata,
    Column("id", String, primary_key=True),
    Column("agent_id", String, nullable=False),
    Column("task_id", String, nullable=False),
    Column("asked_ms", Integer, nullable=False),
    Column("model", String, nullable=False),
    Column("hold_micro_usd", Integer, nullable=False),  # the most it may cost, as long as it is open
    Column("ended_ms", Integer),
    Column("status", Integer),  # of the answer; none: nobody answered, or the hub was killed meanwhile
    Column("upstream_id", String, unique=True),  # the Messages API's own id of the request: each counts once
    Column("input", Integer, nullable=False),
    Column("output", Integer, nullable=False),
    Column("cache_read", Integer, nullable=False),
    Column("cache_write_5m", Integer, nullable=False),
    Column("cache_write_1h", Integer, nullable=False),
    Column("server_tools", Text),
    Column("service_tier", String),
    Column("stop_reason", String),
    Column("first_ms", Integer),  # to the first piece of the answer
    Column("cost_micro_usd", Integer, nullable=False),
    Column("estimated", String),  # why the cost is a guess
    Index("model_calls_task", "task_id", "asked_ms"),
)
OPEN = "ended_ms IS NULL"
Index("model_calls_open", model_calls.c.id, sqlite_where=text(OPEN), postgresql_where=text(OPEN))
