"""The table of commands: all that `swarm --help` shows, and where each command is, imported when it is called."""

from typing import NamedTuple


class Entry(NamedTuple):
    """`target` is `module:name` of a function, or of a `typer.Typer` with commands of its own."""

    name: str
    target: str
    summary: str


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Hand out work": (
        Entry("submit", "swarm_cli.submit:submit", "Hand out a task, or a file of them"),
        Entry("retry", "swarm_cli.steer:retry", "Try failed or cancelled tasks again"),
        Entry("cancel", "swarm_cli.steer:cancel", "Stop tasks; what their agents did is kept"),
        Entry("execute", "swarm_cli.steer:execute", "Start tasks now, those on hold too"),
    ),
    "See what happens": (
        Entry("status", "swarm_cli.status:status", "Recent tasks, or all about one"),
        Entry("watch", "swarm_cli.watch:watch", "Tasks and agents, live"),
        Entry("logs", "swarm_cli.logs:logs", "What a task's agents say and do"),
        Entry("agents", "swarm_cli.agents:agents", "Who works, on what, since when"),
        Entry("budget", "swarm_cli.budget:budget", "What is spent and what is left; set the limits"),
        Entry("queue", "swarm_cli.queue:queue", "What waits, and for what"),
        Entry("metrics", "swarm_cli.metrics:metrics", "A day, week or month in figures"),
        Entry("query", "swarm_cli.query:query", "Ask about tasks and costs in SQL"),
        Entry("notebook", "swarm_cli.notebook:notebook", "Charts of costs and work, in JupyterLab"),
        Entry("export", "swarm_cli.export:export", "Tables as Parquet, usage for ccusage"),
    ),
    "Take the result": (
        Entry("diff", "swarm_cli.diff:diff", "What a task changed"),
        Entry("pull", "swarm_cli.pull:pull", "Its branch, into this repository"),
    ),
    "From Claude Code": (
        Entry("claude", "swarm_cli.claude:claude", "Put /swarm, tools and hooks into Claude Code, or take them out"),
        Entry("mcp", "swarm_cli.mcp:mcp", "The swarm's tools, for MCP hosts that start their servers"),
        Entry("hook", "swarm_cli.hook:hook", "What git and Claude Code call by themselves"),
    ),
    "Set up": (
        Entry("setup", "swarm_cli.setup:setup", "Provider, hub, keys; whether all of it works"),
        Entry("config", "swarm_cli.config_command:config", "Settings, one by one"),
        Entry("provider", "swarm_cli.provider:provider", "Where agents run"),
    ),
    "Who may": (
        Entry("login", "swarm_cli.login:login", "A token for this machine, from an API key"),
        Entry("logout", "swarm_cli.logout:logout", "End it, at the hub and here"),
        Entry("keys", "swarm_cli.keys:keys", "API keys: make them, see them, end them"),
    ),
    "The hub on this machine": (
        Entry("orchestrator", "swarm_cli.orchestrator:orchestrator", "Start it, stop it, ask how it is"),
        Entry("analytics", "swarm_cli.analytics:analytics", "Make again what queries are asked of"),
        Entry("doctor", "swarm_cli.doctor:doctor", "What is missing on this machine"),
        Entry("demo", "swarm_cli.demo:demo", "Five simulated tasks, from nothing to branches"),
    ),
}

COMMANDS: dict[str, Entry] = {entry.name: entry for entries in SECTIONS.values() for entry in entries}
