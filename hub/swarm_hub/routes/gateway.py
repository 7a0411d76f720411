"""The paths of the Messages API that an agent's runtime needs, and no others: this is no open proxy."""

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from swarm_api.base import Answer
from swarm_api.errors import TooLarge
from swarm_hub.gateway.asked import LONGEST
from swarm_hub.gateway.gateway import Asking
from swarm_hub.gateway.refusals import Refused
from swarm_hub.http import Call

PREFIX = "/anthropic"


class AnyQuery(Answer):
    """Parameters are the Messages API's own, and passed on."""


async def messages(call: Call) -> Response:
    return await _answered(call, call.hub.gateway.message)


async def count_tokens(call: Call) -> Response:
    return await _answered(call, call.hub.gateway.count_tokens)


async def _answered(call: Call, ask: Callable[[Asking], Awaitable[Response]]) -> Response:
    try:
        _refuse_unmetered(call)
        body = await _body(call)
        scope = call.request.scope
        path = call.request.url.path.removeprefix(PREFIX)
        return await ask(Asking(call.caller.id, path, scope["query_string"], scope["headers"], body))
    except Refused as refused:
        return refused.response()


def _refuse_unmetered(call: Call) -> None:
    if call.hub.settings.anthropic_key_mode != "gateway":
        raise Refused("permission_error", "this hub gives its agents the key itself (ANTHROPIC_KEY_MODE=inject)")


async def _body(call: Call) -> bytes:
    try:
        return await call.body(LONGEST)
    except TooLarge as error:
        raise Refused("request_too_large", error.detail) from None
