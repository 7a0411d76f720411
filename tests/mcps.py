"""MCP clients of a hub, as a host makes them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from hubs import AUTHORIZED

ERAS = ("auto", "legacy")
"""2026-07-28, and the handshake of the versions before it."""


@asynccontextmanager
async def mcp_client(url: str, era: str = "auto", headers: Mapping[str, str] = AUTHORIZED) -> AsyncIterator[Client]:
    """A client of the hub at `url`."""
    async with (
        httpx2.AsyncClient(headers=dict(headers), timeout=30) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=era) as client,
    ):
        yield client


class Host:
    """A host that connects anew for each call: what an async fixture opens cannot be closed in the test's own task."""

    def __init__(self, url: str, era: str = "auto", headers: Mapping[str, str] = AUTHORIZED) -> None:
        self._door = url, era, headers

    async def said(self, tool: str, **arguments: Any) -> str:
        """What a tool answers. Fails the test when it answers with an error."""
        result = await self._call(tool, arguments)
        assert not result.is_error, text_of(result)
        return text_of(result)

    async def refused(self, tool: str, **arguments: Any) -> str:
        """What the model reads of a call that fails."""
        result = await self._call(tool, arguments)
        assert result.is_error, text_of(result)
        return text_of(result)

    async def _call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        async with mcp_client(*self._door) as client:
            return await client.call_tool(tool, arguments)


def text_of(result: CallToolResult) -> str:
    """All its text."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))
