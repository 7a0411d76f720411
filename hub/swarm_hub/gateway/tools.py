"""Tools that the model's provider runs itself: what they find is read by the model, and billed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from swarm_hub.gateway.refusals import Refused

USES = 10  # of a tool whose request names no limit
RESULT = 25_000  # tokens that one use brings into the prompt, at most
DESCRIBED = 2_000  # tokens of a tool whose description is the API's own
OWN = ("custom", "tool_reference")  # described in the request
OF_THE_CLIENT = ("bash_", "text_editor_", "computer_", "memory_")  # defined by the API, run by who asks
UNBOUNDED = ("advisor_", "mcp_")  # another model's answers, and other servers'


@dataclass(frozen=True)
class ServerTools:
    """How often they may be used in one call, and how many tools of any kind the API describes itself."""

    uses: int = 0
    described: int = 0

    def with_results(self, prompt: int) -> int:
        """The tokens of a prompt with all that these tools may bring: after each use the model reads it again."""
        return (prompt + self.described * DESCRIBED) * (1 + self.uses) + self.uses * RESULT


def read_server_tools(tools: Iterable[dict[str, Any]]) -> ServerTools:
    """Of the tools of a request. Raises `Refused` for one whose cost nothing bounds."""
    uses = described = 0
    for tool in tools:
        kind = tool.get("type")
        if not isinstance(kind, str) or kind in OWN:
            continue
        if kind.startswith(UNBOUNDED):
            raise Refused("invalid_request_error", f"tools: {kind} is not had through this hub: nobody knows its cost")
        described += 1
        if not kind.startswith(OF_THE_CLIENT):
            uses += _uses(tool.get("max_uses"))
    return ServerTools(uses, described)


def _uses(most: Any) -> int:
    return most if isinstance(most, int) and not isinstance(most, bool) and most > 0 else USES
