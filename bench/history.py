"""A year of a busy hub, written straight into its database: the same for the same time and number of tasks."""

import sqlite3
from contextlib import closing
from pathlib import Path

from swarm_hub.store.database import open_engine

YEAR_MS = 365 * 86_400_000
CALLS = 10  # requests of a task, on average: 1 to 19 of them
_NUMBERS = """
CREATE TEMP TABLE numbers AS
WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ? - 1) SELECT n FROM n
"""
_FAST = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-262144", "temp_store=MEMORY", "locking_mode=EXCLUSIVE")

# One in ten fails, one in fifty is cancelled; one in fifty reports its use itself, and made no request to the gateway.
_MADE = """
CREATE TEMP TABLE made AS WITH drawn AS (
  SELECT n, n * 2654435761 % 4294967291 AS h, :end - :span + n * (:span / :tasks) AS created FROM numbers
)
SELECT n, h, created, created + 2000 + h % 9000 AS started,
  created + 2000 + h % 9000 + 30000 + h / 16 % 1500000 AS finished,
  printf('tsk_%010d', n) AS id, printf('local-%010d-00000000', n) AS agent,
  CASE n % 50 WHEN 0 THEN 0 ELSE 1 + h / 32 % 19 END AS calls,
  CASE WHEN n % 50 = 1 THEN 'cancelled' WHEN h / 64 % 10 = 0 THEN 'failed' ELSE 'completed' END AS status,
  CASE h / 128 % 6 WHEN 0 THEN 'review' WHEN 1 THEN 'docs' WHEN 2 THEN 'test' ELSE 'code' END AS type,
  CASE WHEN h / 256 % 3 = 0 THEN 'claude-opus-4-5' ELSE 'claude-sonnet-4-5' END AS model,
  'acme/' || CASE h / 512 % 10 WHEN 0 THEN 'tools' WHEN 1 THEN 'docs' WHEN 2 THEN 'shop'
    ELSE 'app-' || (h / 4096 % 40) END AS repo,
  'team-' || (h / 1024 % 8) AS team, 200 + h / 2048 % 3000 AS size, 3 + 2 * (h / 256 % 3 = 0) AS price
FROM drawn
"""

_USED = """
CREATE TEMP VIEW used AS SELECT *, input * price + output * 5 * price + cache_read / 10 * price AS cost FROM (
  SELECT made.*, max(calls, 1) * size AS input, max(calls, 1) * (size / 2 + 1) AS output,
    max(calls, 1) * size * 10 AS cache_read FROM made)
"""

_USAGE = (
    "json_object('input', input, 'output', output, 'cacheRead', cache_read, 'byModel', json_object(model, json_object("
    "'input', input, 'output', output, 'cacheRead', cache_read, 'costMicroUsd', cost)))"
)

_TASKS = """
INSERT INTO tasks (id, spec, prompt, name, status, type, model, priority, repo, hold, waiting_on, rank, live, agent_id,
  attempts, tries, fresh, log_seq, usage, cost_micro_usd, budget_micro_usd, compute_micro_usd, result, seq, created_ms,
  started_ms, finished_ms)
SELECT id, '{"tier": "standard"}', 'Add a test for what was reported', NULL, status, type, model, 'normal', repo, 0,
  0, n, 0, agent, 1, 1, 0, 0, {usage}, cost, 100000000, 0,
  json_object('status', CASE status WHEN 'completed' THEN 'success' WHEN 'failed' THEN 'failure' ELSE status END,
    'turns', calls, 'filesChanged', json_array('a.py', 'b.py'), 'additions', h % 400, 'deletions', h % 90),
  5 * n + 5, created, started, finished FROM used
"""

_AGENTS = """
INSERT INTO agents (id, task_id, attempt, fresh, provider, tier, status, released, stored_n, last_c, usage,
  cost_micro_usd, reserved_micro_usd, held_micro_usd, compute_micro_usd, turns, last_tool, claimed_ms, deadline_ms,
  heartbeat_ms, finished_ms)
SELECT agent, id, 1, 0, 'local', 'standard', 'finished', 1, 9, 0, {usage}, cost, 0, 0, 0, calls, 'Bash', started - 500,
  finished + 3600000, finished, finished FROM used
"""

_CALLS = """
INSERT INTO model_calls (id, agent_id, task_id, asked_ms, model, hold_micro_usd, ended_ms, status, input, output,
  cache_read, cache_write_5m, cache_write_1h, stop_reason, first_ms, cost_micro_usd)
SELECT printf('%010d%02d', made.n, k.n), agent, id, started + (finished - started) * k.n / (calls + 1), model, 0,
  started + (finished - started) * k.n / (calls + 1) + 2000 + h / 8 % 9000, 200, size, size / 2 + 1, size * 10, 0, 0,
  'tool_use', 300 + h / 8 % 900, size * price + (size / 2 + 1) * 5 * price + size * price
FROM made CROSS JOIN numbers k ON k.n BETWEEN 1 AND calls ORDER BY made.n, k.n
"""

_EVENTS = """
INSERT INTO events SELECT 5 * made.n + e.n, CASE e.n WHEN 1 THEN 'task_created' WHEN 2 THEN 'agent_spawned'
  WHEN 3 THEN 'task_started' WHEN 4 THEN 'agent_completed' ELSE 'task_' || status END, id,
  json_object('agentId', agent, 'status', status), CASE e.n WHEN 1 THEN created WHEN 2 THEN started - 500
  WHEN 3 THEN started ELSE finished END
FROM made CROSS JOIN numbers e ON e.n BETWEEN 1 AND 5 ORDER BY made.n, e.n
"""

_SPENT = """
INSERT INTO spent SELECT ended_ms / 900000, '', sum(cost_micro_usd) FROM model_calls GROUP BY 1;
INSERT INTO spent SELECT ended_ms / 900000, 'team=' || value, sum(cost_micro_usd)
FROM model_calls JOIN labels USING (task_id) GROUP BY 1, 2
"""


def write(path: Path, tasks: int, end_ms: int) -> int:
    """Fill a new database with a year of tasks until then; how many rows of use there are.

    Straight into its tables: a hub would take them an hour.
    """
    open_engine(path).dispose()
    with closing(sqlite3.connect(path)) as db:
        for pragma in _FAST:
            db.execute(f"PRAGMA {pragma}")
        db.execute(_NUMBERS, (tasks,))
        db.execute("CREATE UNIQUE INDEX temp.numbered ON numbers (n)")
        db.execute(_MADE, {"end": end_ms, "span": YEAR_MS, "tasks": tasks})
        db.execute(_USED)
        for statement in (_TASKS, _AGENTS, _CALLS, _EVENTS):
            db.execute(statement.replace("{usage}", _USAGE))
        db.execute("INSERT INTO labels SELECT id, 'team', team FROM made")
        for statement in _SPENT.split(";"):
            db.execute(statement)
        db.commit()
        (calls,) = db.execute("SELECT sum(max(calls, 1)) FROM made").fetchone()
    return int(calls)
