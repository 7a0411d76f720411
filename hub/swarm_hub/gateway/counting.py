"""Asks the model's API, which does it for nothing, how many tokens a prompt has."""

import asyncio
from typing import Any

import httpx
from pydantic_core import from_json, to_json

from swarm_hub.gateway.upstream import Headers, Upstream

FIELDS = ("model", "system", "messages", "tools", "tool_choice", "thinking")  # what it takes
SILENT = (  # what else a request has of which the model reads nothing
    "max_tokens", "stream", "metadata", "stop_sequences", "temperature", "top_k", "top_p", "service_tier", "speed",
    "inference_geo", "cache_control", "context_management",
)  # fmt: skip
PATIENCE = 20.0  # seconds


async def count_tokens(upstream: Upstream, path: str, query: bytes, headers: Headers, body: bytes) -> int | None:
    """Of the request in `body` to `path`, with what is not counted at a token for each byte.

    None where that API does not count, or not now.
    """
    try:
        fields = from_json(body)
        wanted = to_json({name: fields[name] for name in FIELDS if name in fields})
        async with asyncio.timeout(PATIENCE):
            answer = await upstream.send(f"{path}/count_tokens", query, headers, wanted)
            try:
                tokens = _count(answer.status_code, await answer.aread())
            finally:
                await answer.aclose()
        return None if tokens is None else tokens + _uncounted(fields)
    except (httpx.HTTPError, TimeoutError, ValueError):
        return None


def _count(status: int, body: bytes) -> int | None:
    said: Any = from_json(body) if status == 200 else None
    tokens = said.get("input_tokens") if isinstance(said, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0 else None


def _uncounted(fields: dict[str, Any]) -> int:
    """The bytes of all else, of which the model may read something: the form of an answer, say."""
    return sum(len(to_json(fields[name])) for name in fields.keys() - {*FIELDS, *SILENT})
