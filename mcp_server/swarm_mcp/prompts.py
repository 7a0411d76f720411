"""Prompts: what a person can begin with. Claude Code shows them as `/mcp__swarm__swarm` and its like."""

from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

DELEGATE = """\
Hand this to the swarm: {request}

Its agents see nothing of this conversation, so write into each prompt what they need: goal, files, constraints, and
how to check the result. One piece of work: swarm_run. Several that do not need each other: swarm_submit for each, then
swarm_wait. When a task has ended, look at swarm_diff before you speak of the result.\
"""
REVIEW = """\
Have the swarm review {what}: swarm_run with type="review", baseRef in options set to that commit or branch, and a
prompt that names what to look at (correctness, security, tests, simplicity). Report what it found, worst first, with
file and line. Change nothing.\
"""


def offer(server: MCPServer[Any]) -> None:
    """Add the prompts."""

    @server.prompt("swarm", title="Hand work to the swarm", description="Let agents of the swarm do something.")
    def swarm(request: Annotated[str, Field(description="What is to be done.")]) -> str:
        return DELEGATE.format(request=request)

    @server.prompt("swarm_review", title="Review by the swarm", description="Let an agent review a commit or branch.")
    def swarm_review(what: Annotated[str, Field(description="Commit or branch; HEAD by default.")] = "HEAD") -> str:
        return REVIEW.format(what=what)
