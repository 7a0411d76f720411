"""The paths of the Messages API that an agent's runtime needs, and no others: this is no open proxy."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

from starlette.responses import Response

from swarm_api.base import Answer
from swarm_api.errors import TooLarge
from swarm_hub.gateway.asked import LONGEST
from swarm_hub.gateway.gateway import Asking
from swarm_hub.gateway.passing import Passing
from swarm_hub.gateway.refusals import Refused
from swarm_hub.http import Call
from swarm_hub.leaving import left, unless_left
from swarm_hub.settings import Settings

PREFIX = "/anthropic"
LEFT = 499  # what nobody hears any more


class AnyQuery(Answer):
    """Parameters are the Messages API's own, and passed on."""


async def messages(call: Call) -> Response:
    return await _answered(call, call.hub.gateway.message)


async def count_tokens(call: Call) -> Response:
    return await _answered(call, call.hub.gateway.count_tokens)


async def _answered(call: Call, ask: Callable[[Asking], Coroutine[Any, Any, Response]]) -> Response:
    try:
        _refuse_unready(call.hub.settings)
        with ExitStack() as stack:
            stack.enter_context(call.hub.gateway.crowd.place(call.caller.id, _size(call)))
            answer = await unless_left(ask(await _asking(call)), left(call.request.receive))
            if isinstance(answer, Passing):
                answer.afterwards = stack.pop_all()
        return Response(status_code=LEFT) if answer is None else answer
    except Refused as refused:
        call.hub.gateway.counts.refused[refused.kind] += 1
        return refused.response()
    except asyncio.CancelledError:
        if not call.hub.closing.is_set():
            raise
        return Refused("api_error", "the hub is stopping").response()


async def _asking(call: Call) -> Asking:
    body = await _body(call)
    scope = call.request.scope
    path = call.request.url.path.removeprefix(PREFIX)
    return Asking(call.caller.id, path, scope["query_string"], scope["headers"], body)


def _size(call: Call) -> int | None:
    """Of the body, where the request says it."""
    length = call.request.headers.get("content-length", "")
    return int(length) if length.isdigit() else None


def _refuse_unready(settings: Settings) -> None:
    if settings.anthropic_key_mode != "gateway":
        raise Refused("permission_error", "this hub gives its agents the key itself (ANTHROPIC_KEY_MODE=inject)")
    if settings.anthropic_api_key is None and settings.anthropic_base_url is None:
        raise Refused("invalid_request_error", "the hub has no key for the model: `swarm setup`, then start it again")


async def _body(call: Call) -> bytes:
    try:
        return await call.body(LONGEST)
    except TooLarge as error:
        raise Refused("request_too_large", error.detail) from None
