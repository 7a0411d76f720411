"""A credential on each request of httpx, and a new one where the hub refuses it."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import httpx

from swarm_api.addresses import keep_private
from swarm_api.source import Fixed, Source


class Bearer(httpx.Auth):
    def __init__(self, source: Source, *, insecure: bool) -> None:
        """`insecure`: the credential may travel over plain http to another machine."""
        self._source = source
        self._insecure = insecure

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Raises `InsecureAddress` before anything is sent, and what the source raises."""
        token = await self._ask(self._source.token)
        self._put(request, token)
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        fresh = await self._ask(lambda: self._source.renewed(token))
        if fresh is not None:
            self._put(request, fresh)
            yield request

    async def _ask(self, question: Callable[[], str | None]) -> str | None:
        return question() if isinstance(self._source, Fixed) else await asyncio.to_thread(question)

    def _put(self, request: httpx.Request, token: str | None) -> None:
        if token is None:
            return
        if not self._insecure:
            keep_private(str(request.url))
        request.headers["Authorization"] = f"Bearer {token}"
