"""Where the parts meet: settings in, an ASGI application out."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any

from sqlalchemy import select
from starlette.requests import Request
from starlette.routing import BaseRoute, Router, WebSocketRoute
from starlette.routing import Route as HttpRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from swarm_api.errors import MethodNotAllowed, NotFound
from swarm_api.redaction import Redactor
from swarm_executors.protocol import Executor, Launch
from swarm_hub.analytics.analytics import Analytics
from swarm_hub.archive.archive import Archive
from swarm_hub.budgets.budgets import Budgets
from swarm_hub.budgets.limits import Limits, forget_overruled
from swarm_hub.budgets.outlooks import Outlooks
from swarm_hub.claims import Claimed, Place
from swarm_hub.counts import Counts
from swarm_hub.deliveries import Deliveries
from swarm_hub.executors import Executors
from swarm_hub.gateway.gateway import Gateway
from swarm_hub.gateway.ledger import Ledger
from swarm_hub.gateway.pace import Pace
from swarm_hub.gateway.upstream import Upstream
from swarm_hub.gateway.usage_limits import forget_of_another, limited_until, note_limit
from swarm_hub.guard import Guard
from swarm_hub.http import Route
from swarm_hub.identity.agent_tokens import AgentTokens
from swarm_hub.identity.attempts import Attempts
from swarm_hub.identity.book import read_book
from swarm_hub.identity.bootstrap import note_bootstrap
from swarm_hub.identity.grants import Grants
from swarm_hub.identity.identity import Identity
from swarm_hub.identity.jwts import Signer
from swarm_hub.identity.secret import load_secret
from swarm_hub.journal import Journal, Logs
from swarm_hub.life import tell
from swarm_hub.mcp import Mcp
from swarm_hub.mirrors.abroad import Abroad
from swarm_hub.mirrors.mirrors import Mirrors
from swarm_hub.openapi import describe
from swarm_hub.places import executors_of
from swarm_hub.prices import Prices
from swarm_hub.problems import problem
from swarm_hub.providers import chosen_provider
from swarm_hub.pull_requests import PullRequests, host_of
from swarm_hub.redacted import Redacted, credentials
from swarm_hub.routes.socket import Socket
from swarm_hub.routes.table import ROUTES
from swarm_hub.scheduler import Scheduler
from swarm_hub.services import Hub, Inboxes
from swarm_hub.settings import Settings
from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Transaction
from swarm_hub.store.writer import Clock, wall_clock
from swarm_hub.traces.traces import Destination, Traces

log = logging.getLogger(__name__)
PULSE = 15.0  # seconds


@asynccontextmanager
async def open_hub(
    settings: Settings, url: str, executor: Executor | None = None, redactor: Redactor | None = None,
    clock: Clock = wall_clock,
) -> AsyncIterator[Hub]:  # fmt: skip
    """Everything the routes need, with the scheduler running. On the way out agents are left alone.

    `clock`: milliseconds since the epoch, by which days and limits go. Raises `DatabaseUnusable`.
    """
    redactor = redactor or Redactor(credentials(settings))
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(settings.data_dir / "hub.db", clock))
        store.listen(tell)
        identity = await _identity(settings, store, redactor)
        stack.callback(identity.close)
        hub_id = await store.write(_hub_id)
        prices = await asyncio.to_thread(Prices.load, settings.prices)
        budgets = await _budgets(settings, store)
        gateway = await _gateway(settings, store, Ledger(prices, budgets))
        stack.push_async_callback(gateway.upstream.aclose)
        executors = Executors({executor.name: executor}) if executor else executors_of(settings)
        stack.push_async_callback(executors.aclose)
        launch = _launcher(settings, url, identity, hub_id)
        current = executor or executors[await store.read(lambda c: chosen_provider(c, settings.executor_type))]
        place = Place(current.name, current.region, settings.max_parallel_agents, budgets)
        scheduler = Scheduler(store, executors, launch, place, prices, hub_id)
        if settings.otlp_endpoint is not None:
            to = Destination(settings.otlp_endpoint, settings.otlp_headers)
            await stack.enter_async_context(Traces(store, to, redactor))
        analytics = await stack.enter_async_context(Analytics(settings.data_dir, settings.time_zone.key))
        pull_requests = _pull_requests(settings, url)
        closing = asyncio.Event()
        mcp = Mcp(url, await _secret_of_mcp(settings), closing)
        hub = Hub(
            url, settings, redactor, store, Journal(store), Logs(store), executors, scheduler, identity, gateway,
            budgets, Outlooks(store, budgets), Grants(identity.book, settings.jwt_ttl_seconds), Inboxes(store),
            analytics, await Counts.of(store), mcp, pull_requests.mirrors, pull_requests, closing=closing,
            local_ended=asyncio.Event(), description=cache(lambda: describe(ROUTES)),
        )  # fmt: skip
        archive = Archive(store, settings.data_dir, settings.journal_days)
        deliveries = Deliveries(store, pull_requests)
        jobs = (scheduler.run(), deliveries.run(), archive.run(), mcp.run(_router(hub, ROUTES)), _pulse(hub))
        running = [asyncio.create_task(job) for job in jobs]
        if settings.prices is not None:
            log.info("prices of %s, from %s", prices.dated, settings.prices)
        try:
            yield hub
        finally:
            for job in running:
                job.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def _launcher(settings: Settings, url: str, identity: Identity, hub_id: str) -> Callable[[Claimed], Launch]:
    """What an executor is told of an agent, with a token that is made for it."""

    def launch(claimed: Claimed) -> Launch:
        token = identity.agents.issue("worker", claimed.agent_id, identity.clock())
        where = url if claimed.provider == "local" else settings.public_url or url
        return Launch(claimed.agent_id, hub_id, where, token, claimed.tier, claimed.first)

    return launch


def _pull_requests(settings: Settings, url: str) -> PullRequests:
    abroad = Abroad(settings.github_token, host_of(settings.github_url))
    mirrors = Mirrors(settings.data_dir, abroad)
    return PullRequests(settings.github_url, settings.github_token, mirrors, abroad, settings.public_url or url)


async def _budgets(settings: Settings, store: Store) -> Budgets:
    """With the limits that were set while an earlier hub ran, where the settings are as they were then."""
    limits = Limits(settings.daily_budget_cents, settings.weekly_budget_cents)
    for overruled in await store.write(lambda tx: forget_overruled(tx, limits)):
        log.warning(overruled)
    return Budgets(settings.time_zone, limits, free=settings.simulate)


async def _gateway(settings: Settings, store: Store, ledger: Ledger) -> Gateway:
    """With the books of an earlier hub closed."""
    endpoint, key = settings.anthropic_base_url or "", settings.anthropic_api_key or ""
    await store.write(lambda tx: forget_of_another(tx, endpoint, key))
    if left := await store.write(ledger.settle_left_open):
        log.warning("%d calls to the model were under way when the last hub was killed: counted at their most", left)
    upstream = Upstream(settings.anthropic_base_url, settings.anthropic_api_key)
    return Gateway(store, upstream, ledger, await _pace(store))


async def _pace(store: Store) -> Pace:
    """With the limit that is known from before."""
    until_ms = await store.read(lambda c: limited_until(c, store.now_ms()))
    return Pace(store.now_ms, lambda hint: store.write(lambda tx: note_limit(tx, hint)), until_ms)


async def _secret_of_mcp(settings: Settings) -> bytes:
    """Kept, for an id of a task is to be known after a restart."""
    return await asyncio.to_thread(load_secret, settings.data_dir / "mcp.secret")


async def _identity(settings: Settings, store: Store, redactor: Redactor) -> Identity:
    """With the secrets of the settings, or those of the data folder, made on first start."""
    worker = await asyncio.to_thread(load_secret, settings.data_dir / "worker.secret")
    signing = settings.jwt_secret or [await asyncio.to_thread(load_secret, settings.data_dir / "jwt.secret")]
    if bootstrap := settings.bootstrap_key:
        await store.write(lambda tx: note_bootstrap(tx, bootstrap, worker))
    redactor.learn(worker, *signing)
    book = await store.read(lambda c: read_book(c, store.now_ms()))
    return Identity(book, Signer(signing), AgentTokens(worker), Attempts(), bootstrap)


def build_app(hub: Hub, url: str, routes: Sequence[Route] = ROUTES) -> ASGIApp:
    """The ASGI application for an open hub: a bare router, as each layer of an application would cost every request."""
    return Redacted(Guard(_router(hub, routes), hub.settings, url), hub.redactor)


def _router(hub: Hub, routes: Sequence[Route]) -> Router:
    paths: dict[str, dict[str, Route]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = route
    served = [_route(path, methods, hub) for path, methods in paths.items()]
    return Router(served, redirect_slashes=False, default=_no_such_path)


def _route(path: str, methods: dict[str, Route], hub: Hub) -> BaseRoute:
    return (
        WebSocketRoute(path, Socket(hub, methods["WS"]))
        if "WS" in methods
        else HttpRoute(path, _Endpoint(methods, hub))
    )


class _Endpoint:
    """One path with the routes of its methods."""

    def __init__(self, methods: dict[str, Route], hub: Hub) -> None:
        self._methods = methods
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._methods.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if route is None:
            response = problem(MethodNotAllowed("this path does not take that method", allow=sorted(self._methods)))
        else:
            response = await route.answer(self._hub, Request(scope, receive))
        await response(scope, receive, send)


async def _no_such_path(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await WebSocketClose(4404, "there is nothing at this path")(scope, receive, send)
        return
    await problem(NotFound("there is nothing at this path", code="no_such_path"))(scope, receive, send)


async def _pulse(hub: Hub) -> None:
    """Streams with nothing to say say that they are there: proxies close what is silent."""
    while True:
        await asyncio.sleep(PULSE)
        hub.nudge()


def _hub_id(tx: Transaction) -> str:
    """This hub's name for its workers: drawn once, kept in its database."""
    known: Any = tx.execute(select(schema.hub.c.value).where(schema.hub.c.key == "id")).scalar()
    if known is None:
        known = secrets.token_hex(4)
        tx.add(schema.hub, {"key": "id", "value": known})
    return str(known)
