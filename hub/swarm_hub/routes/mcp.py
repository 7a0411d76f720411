"""The path of the MCP server: it answers for itself, once the caller is known."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from swarm_api.errors import Unavailable
from swarm_hub.http import Call
from swarm_hub.problems import problem


async def serve(call: Call) -> Response:
    return _Served(call)


class _Served(Response):
    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._call.hub.mcp.answer(self._call.caller, scope, receive, send)
        except Unavailable as error:
            await problem(error)(scope, receive, send)
