"""Where the parts meet: settings in, an ASGI application out."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from sqlalchemy import select
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.routing import Route as HttpRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from swarm_executors.local import LocalExecutor
from swarm_executors.protocol import Executor, Launch
from swarm_hub.claims import Claimed
from swarm_hub.guard import Guard
from swarm_hub.http import Route
from swarm_hub.journal import Journal, Logs
from swarm_hub.openapi import describe
from swarm_hub.problems import problem
from swarm_hub.routes.streams import follow_socket
from swarm_hub.routes.table import ROUTES
from swarm_hub.scheduler import Scheduler
from swarm_hub.services import Hub, Inboxes
from swarm_hub.settings import Settings
from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Transaction
from swarm_hub.tokens import Tokens

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_hub(settings: Settings, url: str) -> AsyncIterator[Hub]:
    """Everything the routes need, with the scheduler running. On the way out agents are left alone.

    Raises `DatabaseUnusable`.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(settings.data_dir / "hub.db"))
        tokens = await asyncio.to_thread(Tokens.load, settings.data_dir / "worker.secret")
        hub_id = await store.write(_hub_id)
        executor: Executor = LocalExecutor(settings.data_dir)
        stack.push_async_callback(executor.aclose)

        def launch(claimed: Claimed) -> Launch:
            return Launch(claimed.agent_id, hub_id, url, tokens.issue(claimed.agent_id), claimed.tier)

        scheduler = Scheduler(store, executor, launch, settings.max_parallel_agents)
        hub = Hub(
            settings, store, Journal(store), Logs(store), executor, scheduler, tokens, Inboxes(store), asyncio.Event()
        )
        running = asyncio.create_task(scheduler.run())
        try:
            yield hub
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def build_app(hub: Hub, public_url: str) -> ASGIApp:
    """The ASGI application for an open hub."""
    app = Starlette(
        routes=[_route(route, hub) for route in ROUTES],
        exception_handlers={HTTPException: _failed},
    )
    app.state.description = describe(ROUTES)
    return Guard(app, public_url)


def _route(route: Route, hub: Hub) -> BaseRoute:
    if route.method == "WS":
        return WebSocketRoute(route.path, _socket(hub))
    return HttpRoute(route.path, _endpoint(route, hub), methods=[route.method])


def _endpoint(route: Route, hub: Hub) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await route.answer(hub, request)

    return endpoint


def _socket(hub: Hub) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(socket: WebSocket) -> None:
        await follow_socket(hub, socket)

    return endpoint


async def _failed(_request: Request, error: Exception) -> Response:
    return problem(error)


def _hub_id(tx: Transaction) -> str:
    """This hub's name for its workers: drawn once, kept in its database."""
    known: Any = tx.execute(select(schema.hub.c.value).where(schema.hub.c.key == "id")).scalar()
    if known is None:
        known = secrets.token_hex(4)
        tx.add(schema.hub, {"key": "id", "value": known})
    return str(known)
