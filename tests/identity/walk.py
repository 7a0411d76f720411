"""A walk of the table of routes: every one is asked with the same headers, and says what it makes of them."""

from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from hub.played import LIMIT, PlayedHub
from hub.problems import assert_problem
from identity.asking import forget_limits
from swarm_hub.http import Route
from swarm_hub.routes.table import ROUTES

Headers = list[tuple[str, str]]
UNSEEN = "nothing"
LAST = {"/api/auth/revoke"}  # it ends what it is asked with
WELCOME, REFUSED, FORBIDDEN = "welcome", "401", "403"


class Asked(NamedTuple):
    """What a route made of a credential: `welcome` when it let it pass, whatever else it found to say."""

    route: Route
    verdict: str


async def walk(hub: PlayedHub, headers: Headers, agent_id: str) -> AsyncIterator[Asked]:
    """Ask each route once. What is refused is refused as a problem document, with a challenge where it is a 401."""
    async with httpx.AsyncClient(base_url=hub.url, trust_env=False, timeout=LIMIT) as http:
        for route in sorted(ROUTES, key=lambda route: route.path in LAST):
            forget_limits(hub)
            heard = await (_socket(hub, headers) if route.method == "WS" else _ask(http, route, headers, agent_id))
            yield Asked(route, heard)


async def surprises(hub: PlayedHub, headers: Headers, agent_id: str, welcome: Iterable[str], else_: str) -> list[str]:
    """The routes that did not do as they should: those with a permission in `welcome` let it pass, no others do."""
    admitted = {"open", *welcome}
    admitted |= {"git:read", "git:write"} if "worker" in admitted else set()
    admitted |= {f"git:{scope.removeprefix('tasks:')}" for scope in admitted if scope.startswith("tasks:")}
    return [
        f"{asked.route.method} {asked.route.path} ({asked.route.permission}): {asked.verdict}"
        async for asked in walk(hub, headers, agent_id)
        if asked.verdict != (WELCOME if asked.route.permission in admitted else _refusal(asked.route, else_))
    ]


def _refusal(route: Route, else_: str) -> str:
    """Workers' and the model's paths know no users, so nobody lacks a scope there."""
    return REFUSED if route.permission in ("worker", "model") else else_


async def _ask(http: httpx.AsyncClient, route: Route, headers: Headers, agent_id: str) -> str:
    path = route.path.replace("{name}", UNSEEN).replace("{id}", agent_id if route.permission == "worker" else UNSEEN)
    sent = [*headers, ("Accept", "application/json")]
    answer = await http.request(route.method, path, json={} if route.method in ("POST", "PUT") else None, headers=sent)
    if answer.status_code == 401:
        assert_problem(answer, 401, "not_authenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        return REFUSED
    if answer.status_code == 403:
        assert_problem(answer, 403, "forbidden_scope")
        return FORBIDDEN
    return WELCOME if answer.status_code in (*range(200, 429), 501) else str(answer.status_code)


async def _socket(hub: PlayedHub, headers: Headers) -> str:
    """Welcome is who is told of what happened already."""
    url = f"{hub.url.replace('http', 'ws')}/ws?after=0"
    try:
        async with connect(url, proxy=None, additional_headers=headers) as socket:
            await socket.recv()
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else None
        return {4401: REFUSED, 4403: FORBIDDEN}.get(code or 0, f"closed with {code}")
    return WELCOME
