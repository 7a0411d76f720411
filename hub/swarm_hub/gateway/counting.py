"""Asks the model's API, which does it for nothing, how many tokens a prompt has."""

import asyncio
from typing import Any

import httpx
from pydantic_core import from_json, to_json

from swarm_hub.gateway.upstream import Headers, Upstream

FIELDS = ("model", "system", "messages", "tools", "tool_choice", "thinking")  # what it takes
PATIENCE = 20.0  # seconds


async def count_tokens(upstream: Upstream, path: str, query: bytes, headers: Headers, body: bytes) -> int | None:
    """Of the request in `body` to `path`. None where that API does not count, or not now."""
    try:
        fields = from_json(body)
        wanted = to_json({name: fields[name] for name in FIELDS if name in fields})
        async with asyncio.timeout(PATIENCE):
            answer = await upstream.send(f"{path}/count_tokens", query, headers, wanted)
            try:
                return _count(answer.status_code, await answer.aread())
            finally:
                await answer.aclose()
    except (httpx.HTTPError, TimeoutError, ValueError):
        return None


def _count(status: int, body: bytes) -> int | None:
    said: Any = from_json(body) if status == 200 else None
    tokens = said.get("input_tokens") if isinstance(said, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0 else None
