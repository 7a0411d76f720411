"""`/ws`: the journal as a WebSocket, one message for each event."""

import asyncio
from contextlib import suppress

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from swarm_api.errors import Forbidden, Gone, MalformedRequest, NotAuthenticated, SwarmError, TooManyRequests
from swarm_hub.http import Route, parse_query
from swarm_hub.identity.callers import Caller
from swarm_hub.leaving import unless_left
from swarm_hub.routes.streams import Filter, FollowQuery
from swarm_hub.services import Hub
from swarm_hub.tail import Follower

SLOW = 10.0  # seconds a client may take to accept what is sent at once
MAX_REASON = 123  # bytes; RFC 6455 leaves no more in a close frame

BAD_QUERY, NOT_AUTHENTICATED, FORBIDDEN, TOO_SLOW, GONE = 4400, 4401, 4403, 4008, 4410
RESTARTING, TRY_LATER = 1012, 1013


class Socket:
    """The endpoint. Refusals are an accepted handshake and a close with a code that says why."""

    def __init__(self, hub: Hub, route: Route) -> None:
        self._hub = hub
        self._permission = route.permission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(WebSocketDisconnect):  # a client may leave at any word
            await self._serve(WebSocket(scope, receive, send))

    async def _serve(self, socket: WebSocket) -> None:
        await socket.accept(subprotocol="swarm.v1" if "swarm.v1" in socket.scope["subprotocols"] else None)
        try:
            caller = await self._hub.identity.admit(self._permission, socket)
            query = parse_query(socket, FollowQuery)
            wanted = query.wanted()
            after = self._hub.journal.head if query.after is None else query.after
            follower = await self._hub.journal.follow(after)
        except NotAuthenticated as error:
            await socket.close(NOT_AUTHENTICATED, _reason(error))
        except Forbidden as error:
            await socket.close(FORBIDDEN, _reason(error))
        except TooManyRequests as error:
            await socket.close(TRY_LATER, _reason(error))
        except Gone as error:
            await socket.close(GONE, f'{{"oldestSeq":{error.data["oldestSeq"]}}}')
        except MalformedRequest as error:
            await socket.close(BAD_QUERY, _reason(error))
        else:
            await unless_left(self._send(socket, caller, follower, wanted), _left(socket))

    async def _send(self, socket: WebSocket, caller: Caller, follower: Follower, wanted: Filter) -> None:
        lives = self._hub.identity.lives
        try:
            while not self._hub.closing.is_set() and lives(caller) and (batch := await follower.next()) is not None:
                async with asyncio.timeout(SLOW):
                    for entry in wanted(batch) if lives(caller) else ():
                        await socket.send({"type": "websocket.send", "text": entry.frame.decode()})
            if lives(caller):
                await socket.close(RESTARTING, "the hub is restarting; resume")
            else:
                await socket.close(NOT_AUTHENTICATED, "the credential has ended")
        except TimeoutError:
            await socket.close(TOO_SLOW, "too slow; resume from the last seq")


def _reason(error: SwarmError) -> str:
    return error.detail.encode()[:MAX_REASON].decode(errors="ignore")


async def _left(socket: WebSocket) -> None:
    """A follower has nothing to say; reading is how its leaving is noticed."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
