"""`/ws`: the journal as a WebSocket, one message for each event."""

import asyncio
from contextlib import suppress

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from swarm_api.errors import Gone, MalformedRequest
from swarm_hub.http import parse_query
from swarm_hub.routes.streams import Filter, FollowQuery
from swarm_hub.services import Hub
from swarm_hub.sse import while_there
from swarm_hub.tail import Follower

SLOW = 10.0  # seconds a client may take to accept what is sent at once
MAX_REASON = 123  # bytes; RFC 6455 leaves no more in a close frame

BAD_QUERY, TOO_SLOW, GONE, RESTARTING = 4400, 4008, 4410, 1012


class Socket:
    """The endpoint. Refusals are an accepted handshake and a close with a code that says why."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(WebSocketDisconnect):  # a client may leave at any word
            await self._serve(WebSocket(scope, receive, send))

    async def _serve(self, socket: WebSocket) -> None:
        await socket.accept(subprotocol="swarm.v1" if "swarm.v1" in socket.scope["subprotocols"] else None)
        try:
            query = parse_query(socket, FollowQuery)
            wanted = query.wanted()
            after = self._hub.journal.head if query.after is None else query.after
            follower = await self._hub.journal.follow(after)
        except Gone as error:
            await socket.close(GONE, f'{{"oldestSeq":{error.data["oldestSeq"]}}}')
        except MalformedRequest as error:
            await socket.close(BAD_QUERY, error.detail.encode()[:MAX_REASON].decode(errors="ignore"))
        else:
            await while_there(_send(self._hub, socket, follower, wanted), _left(socket))


async def _send(hub: Hub, socket: WebSocket, follower: Follower, wanted: Filter) -> None:
    try:
        while not hub.closing.is_set() and (batch := await follower.next()) is not None:
            async with asyncio.timeout(SLOW):
                for entry in wanted(batch):
                    await socket.send({"type": "websocket.send", "text": entry.frame.decode()})
        await socket.close(RESTARTING, "the hub is restarting; resume")
    except TimeoutError:
        await socket.close(TOO_SLOW, "too slow; resume from the last seq")


async def _left(socket: WebSocket) -> None:
    """A follower has nothing to say; reading is how its leaving is noticed."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
