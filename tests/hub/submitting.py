"""Sending what a hub must refuse."""

from typing import Any

import httpx

from hub.played import PlayedHub

UNKNOWN = "tsk_0000000000000000"


async def submit(hub: PlayedHub, **fields: Any) -> httpx.Response:
    return await hub.post("/api/tasks", {"prompt": "Go", "hold": True, **fields}, **hub.bearer("tasks:write"))


async def submit_batch(hub: PlayedHub, *tasks: dict[str, Any]) -> httpx.Response:
    body = {"tasks": [{"prompt": "Go", "hold": True, **task} for task in tasks]}
    return await hub.post("/api/tasks", body, **hub.bearer("tasks:write"))


async def submit_bytes(hub: PlayedHub, body: bytes) -> httpx.Response:
    return await hub.http.post("/api/tasks", content=body, headers={"Content-Type": "application/json"})
