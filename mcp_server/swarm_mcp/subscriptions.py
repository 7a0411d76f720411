"""Subscriptions to resources, in both eras: a listener follows the journal with its own caller's credential."""

import asyncio
from collections.abc import Callable
from typing import Any

from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import MCPServer, require_client_extension
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    ResourceUpdated,
    ServerEvent,
    SubscriptionBus,
)
from mcp.types import (
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from swarm_api.client import HubClient
from swarm_api.errors import SwarmError
from swarm_mcp.faults import told
from swarm_mcp.following import MOST, Watched, follow, watched
from swarm_mcp.home import Home
from swarm_mcp.tasks_extension import IDENTIFIER

LISTENERS = 256  # at a time, of all hosts together
LEAVE = 0.3  # seconds for a listener to be told that it is over

Ctx = ServerRequestContext[Any, Any]


class Subscriptions:
    def __init__(self, hub: HubClient, home: Home, shared: SubscriptionBus) -> None:
        """`shared`: what is published for everybody, whoever asks."""
        self._hub = hub
        self._home = home
        self._shared = shared
        self._listeners = 0
        self._sessions: dict[Any, _Session] = {}

    def serve(self, server: MCPServer[Any]) -> None:
        """Answer for `server`. The SDK has no public place for the handlers of before 2026-07-28."""
        handlers = server._lowlevel_server
        handlers.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, self.listen)
        handlers.add_request_handler("resources/subscribe", SubscribeRequestParams, self.subscribe)
        handlers.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self.unsubscribe)

    async def listen(self, ctx: Ctx, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
        """One stream. It ends with its host, its credential, or the server."""
        if "taskIds" in (ctx.params or {}).get("notifications", {}):
            require_client_extension(ctx, IDENTIFIER)
        what = await self._watched(params.notifications.resource_subscriptions or [])
        if self._listeners >= LISTENERS:
            raise MCPError(code=INVALID_PARAMS, message=f"{LISTENERS} listeners are open: more cannot be")
        self._listeners += 1
        try:
            return await self._stream(ctx, params, what)
        finally:
            self._listeners -= 1

    async def subscribe(self, ctx: Ctx, params: SubscribeRequestParams) -> EmptyResult:
        """A session's own follower: it ends with the session, or its credential."""
        connection = ctx.session._connection  # nothing public says when a session is over
        session = self._sessions.get(connection)
        if session is None:
            session = self._sessions[connection] = _Session()
            connection.exit_stack.push_async_callback(self._forget, connection)
        await self._follow(ctx, session, {*session.uris, params.uri})
        return EmptyResult()

    async def unsubscribe(self, ctx: Ctx, params: UnsubscribeRequestParams) -> EmptyResult:
        session = self._sessions.get(ctx.session._connection)
        if session is not None and params.uri in session.uris:
            await self._follow(ctx, session, session.uris - {params.uri})
        return EmptyResult()

    async def _follow(self, ctx: Ctx, session: "_Session", uris: set[str]) -> None:
        what = await self._watched(sorted(uris))
        await session.end()
        session.uris = uris
        if what:
            session.follower = asyncio.create_task(follow(self._hub, what, ctx.session.send_resource_updated))

    async def _forget(self, connection: Any) -> None:
        if (session := self._sessions.pop(connection, None)) is not None:
            await session.end()

    async def _watched(self, uris: list[str]) -> list[Watched]:
        if len(uris) > MOST:
            raise MCPError(code=INVALID_PARAMS, message=f"{len(uris)} addresses; at most {MOST} can be followed")
        try:
            return await watched(self._hub, uris)
        except SwarmError as error:
            raise MCPError(code=INVALID_PARAMS, message=told(error)) from error

    async def _stream(
        self, ctx: Ctx, params: SubscriptionsListenRequestParams, what: list[Watched]
    ) -> SubscriptionsListenResult:
        own = InMemorySubscriptionBus()
        handler = ListenHandler(_Both(own, self._shared))
        serving = asyncio.create_task(handler(ctx, params))
        jobs = {serving, asyncio.create_task(self._home.stopping.wait())}
        if what:
            jobs.add(asyncio.create_task(follow(self._hub, what, lambda uri: own.publish(ResourceUpdated(uri=uri)))))
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            handler.close()
            async with asyncio.timeout(LEAVE):
                return await serving
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)


class _Session:
    """What one session follows."""

    def __init__(self) -> None:
        self.uris: set[str] = set()
        self.follower: asyncio.Task[None] | None = None

    async def end(self) -> None:
        if self.follower is not None:
            self.follower.cancel()
            await asyncio.gather(self.follower, return_exceptions=True)
            self.follower = None


class _Both:
    """Two buses as one, for who listens."""

    def __init__(self, *buses: SubscriptionBus) -> None:
        self._buses = buses

    async def publish(self, event: ServerEvent) -> None:
        for bus in self._buses:
            await bus.publish(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        ends = [bus.subscribe(listener) for bus in self._buses]

        def end() -> None:
            for leave in ends:
                leave()

        return end
