"""A hub whose gateway leads to a scripted model, and an agent that the test plays."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.played import PlayedHub, Worker, played_hub
from scripted_api import ScriptedApi, scripted_api
from swarm_api.tasks import Task
from swarm_hub.store import schema

KEY = "sk-ant-the-real-one"
MODEL = "claude-sonnet-4-5-20250929"
Json = dict[str, Any]


@dataclass
class Playing:
    """An agent at the hub's gateway, with what its work order says of the model."""

    hub: PlayedHub
    task: Task
    worker: Worker
    upstream: Json

    def body(self, prompt: str, **fields: Any) -> Json:
        messages = [{"role": "user", "content": prompt}]
        return {"model": MODEL, "max_tokens": 1_000, "stream": True, "messages": messages, **fields}

    async def ask(self, prompt: str, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """As the runtime does. Raises `httpx.TransportError` where the answer breaks off."""
        url = f"{self.upstream['baseUrl']}/v1/messages?beta=true"
        shown = {"x-api-key": self.upstream["apiKey"], **(headers or {})}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            return await http.post(url, json=self.body(prompt, **fields), headers=shown)

    async def calls(self) -> list[Any]:
        """The book of calls."""
        order = schema.model_calls.c.asked_ms
        return list(
            await self.hub.parts.store.read(lambda c: c.execute(select(schema.model_calls).order_by(order)).all())
        )

    async def spent(self) -> int:
        """Of the task, in micro-dollars."""
        return (await self.hub.client.task(self.task.id)).cost_micro_usd


async def play(hub: PlayedHub, **fields: Any) -> Playing:
    task = await hub.client.submit({"prompt": "Work", **fields})
    worker = await hub.worker(task.id)
    order = await worker.claim()
    return Playing(hub, task, worker, order["upstream"])


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
async def hub(tmp_path: Path, api: ScriptedApi) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path, runtime="claude", anthropic_api_key=KEY, anthropic_base_url=api.url) as hub:
        yield hub


@pytest.fixture
async def agent(hub: PlayedHub) -> Playing:
    return await play(hub)
