"""Every path of the hub, in one table: who may call it, what it takes, what it answers."""

from swarm_api.agents import Agent, AgentList, Executed, Health, Provider, ProviderIn, Queue
from swarm_api.analytics import Metrics, QueryIn, QueryOut, SchemaOut
from swarm_api.auth import AuditList, KeyIn, KeyList, KeyMade, RevokeIn, TokenIn, TokenOut
from swarm_api.budget import Budget, BudgetIn
from swarm_api.events import EventList, LogPage
from swarm_api.tasks import Batch, Diff, RetryIn, Task, TaskBatch, TaskIn, TaskList
from swarm_api.worker import Ack, Claim, WorkOrder
from swarm_hub.find import TaskQuery
from swarm_hub.http import Route
from swarm_hub.reports import Reports
from swarm_hub.routes import (
    analytics,
    audit,
    auth,
    budget,
    execution,
    gateway,
    git,
    mcp,
    streams,
    system,
    tasks,
    workers,
)
from swarm_hub.routes.analytics import MetricsQuery
from swarm_hub.routes.audit import AuditQuery
from swarm_hub.routes.execution import AgentQuery
from swarm_hub.routes.gateway import AnyQuery
from swarm_hub.routes.git import RefsQuery
from swarm_hub.routes.streams import EventQuery, FollowQuery, LogQuery
from swarm_hub.routes.workers import WaitQuery

later = system.not_supported

ROUTES: tuple[Route, ...] = (
    Route("POST", "/worker/v1/agents/{id}/reports", "worker", workers.report, "Report, and hear what to do",
          query=WaitQuery, body=(Reports,), answers={200: Ack}),
    Route("POST", "/worker/v1/agents/{id}/claim", "worker", workers.claim, "Claim the work order",
          body=(Claim,), answers={200: WorkOrder}),
    Route("POST", "/api/tasks", "tasks:write", tasks.submit, "Submit a task, or a batch of up to 1,000",
          body=(TaskIn, Batch), answers={201: Task | TaskBatch}, creates=True),
    Route("GET", "/api/tasks", "tasks:read", tasks.show_list, "List tasks, newest first",
          query=TaskQuery, answers={200: TaskList}),
    Route("GET", "/api/tasks/{id}", "tasks:read", tasks.show, "One task", answers={200: Task}),
    Route("POST", "/api/tasks/{id}/cancel", "tasks:write", tasks.cancel, "Cancel a task",
          answers={202: Task, 200: Task}),
    Route("POST", "/api/tasks/{id}/retry", "tasks:write", tasks.retry, "Try a failed or cancelled task again",
          body=(RetryIn,), answers={202: Task}, creates=True),
    Route("GET", "/api/tasks/{id}/logs", "tasks:read", streams.logs, "The log: JSON, text, or SSE that follows",
          query=LogQuery, answers={200: LogPage}),
    Route("GET", "/api/tasks/{id}/diff", "tasks:read", tasks.diff, "What it changed: a unified diff, or JSON by file",
          answers={200: Diff}),
    Route("POST", "/api/execute/batch", "tasks:write", execution.execute_all, "Start all that can start, held or not",
          answers={202: Executed}, creates=True),
    Route("POST", "/api/execute/{id}", "tasks:write", execution.execute, "Start one task now",
          answers={202: Agent}, creates=True),
    Route("GET", "/api/agents", "agents:read", execution.agents, "Agents, newest first",
          query=AgentQuery, answers={200: AgentList}),
    Route("GET", "/api/agents/{id}", "agents:read", execution.agent, "One agent", answers={200: Agent}),
    Route("GET", "/api/queue", "tasks:read", execution.queue, "What waits, and why", answers={200: Queue}),
    Route("GET", "/api/events", "tasks:read", streams.events, "The journal: SSE that follows, or JSON history",
          query=EventQuery, answers={200: EventList}),
    Route("WS", "/ws", "tasks:read", later, "The journal as a WebSocket: one message for each event",
          query=FollowQuery),
    Route("GET", "/api/provider", "agents:read", system.provider, "Where agents run", answers={200: Provider}),
    Route("PUT", "/api/provider", "admin", system.change_provider, "Where new agents run from now on",
          body=(ProviderIn,), answers={200: Provider}),
    Route("GET", "/health", "open", system.health, "Whether it takes work", answers={200: Health, 503: Health}),
    Route("GET", "/health/live", "open", system.live, "Whether it is alive", answers={200: Health}),
    Route("GET", "/openapi.json", "open", system.openapi, "This description", answers={200: "application/json"}),
    Route("GET", "/docs", "open", system.docs, "This description, for people", answers={200: "text/html"}),
    Route("POST", "/api/auth/token", "open", auth.token, "A token for an API key", body=(TokenIn,),
          answers={200: TokenOut}),
    Route("POST", "/api/auth/refresh", "user", auth.refresh, "A new token for one that is still good",
          answers={200: TokenOut}),
    Route("POST", "/api/auth/revoke", "user", auth.revoke, "End this token, or all of a device's",
          body=(RevokeIn,), answers={204: None}),
    Route("POST", "/api/auth/api-keys", "user", auth.create_key, "Make an API key; it is shown this once",
          body=(KeyIn,), answers={201: KeyMade}, creates=True),
    Route("GET", "/api/auth/api-keys", "user", auth.list_keys, "API keys, newest first", answers={200: KeyList}),
    Route("DELETE", "/api/auth/api-keys/{id}", "user", auth.revoke_key, "End a key, with its tokens",
          answers={204: None}),
    Route("POST", "/anthropic/v1/messages", "model", gateway.messages, "The model, metered: Anthropic's Messages API",
          query=AnyQuery, answers={200: "application/json"}),
    Route("POST", "/anthropic/v1/messages/count_tokens", "model", gateway.count_tokens, "Anthropic's count of tokens",
          query=AnyQuery, answers={200: "application/json"}),
    Route("GET", "/api/budget", "metrics:read", budget.show, "What was spent, is set aside and is left",
          answers={200: Budget}),
    Route("PUT", "/api/budget", "admin", budget.change, "New limits, from now on",
          body=(BudgetIn,), answers={200: Budget}),
    Route("GET", "/api/audit", "admin", audit.audit, "Who did what, when, from where, newest first",
          query=AuditQuery, answers={200: AuditList}),
    Route("GET", "/api/metrics", "metrics:read", analytics.metrics, "A day, week or month in figures",
          query=MetricsQuery, answers={200: Metrics}),
    Route("POST", "/api/query", "metrics:read", analytics.query, "Ask in SQL: rows as JSON, CSV, Arrow or Parquet",
          body=(QueryIn,), answers={200: QueryOut}),
    Route("GET", "/api/schema", "metrics:read", analytics.schema_, "What can be asked: tables and columns",
          answers={200: SchemaOut}),
    Route("GET", "/metrics", "metrics:read", analytics.prometheus, "The hub's counts, for Prometheus",
          answers={200: "text/plain"}),
    Route("POST", "/api/analytics/rebuild", "admin", analytics.rebuild, "Make the tables of /api/schema again",
          answers={202: None}),
    Route("POST", "/mcp", "user", mcp.serve, "The Model Context Protocol: the tools of Claude Code and other hosts",
          answers={200: "text/event-stream"}),
    Route("GET", "/mcp", "user", mcp.serve, "What a session of it is told, before 2026-07-28",
          answers={200: "text/event-stream"}),
    Route("DELETE", "/mcp", "user", mcp.serve, "The end of such a session", answers={200: None}),
    Route("GET", "/git/{name}.git/info/refs", "git:read", git.refs, "A repository at the hub, as a git remote",
          query=RefsQuery, answers={200: "application/x-git-upload-pack-advertisement"}),
    Route("POST", "/git/{name}.git/git-upload-pack", "git:read", git.upload_pack, "Fetch",
          answers={200: "application/x-git-upload-pack-result"}),
    Route("POST", "/git/{name}.git/git-receive-pack", "git:write", git.receive_pack, "Push",
          answers={200: "application/x-git-receive-pack-result"}),
    # Of the contract, and not there yet: said so, never ignored.
    Route("POST", "/api/tasks/{id}/messages", "tasks:write", later, "Not supported yet"),
    Route("POST", "/api/tasks/{id}/merge", "tasks:write", later, "Not supported yet"),
    Route("GET", "/api/approvals", "tasks:write", later, "Not supported yet"),
    Route("POST", "/api/approvals/{id}", "tasks:write", later, "Not supported yet"),
    Route("GET", "/api/conflicts", "tasks:read", later, "Not supported yet"),
)  # fmt: skip
