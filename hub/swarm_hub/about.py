"""What is being worked on, and at whose request: every line of the log says so of itself.

Each request and each job has these to itself, as they go with the tasks of the event loop.
"""

from contextvars import ContextVar

NOBODY = "-"
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default=NOBODY)
TASK_ID: ContextVar[str | None] = ContextVar("task_id", default=None)
AGENT_ID: ContextVar[str | None] = ContextVar("agent_id", default=None)
