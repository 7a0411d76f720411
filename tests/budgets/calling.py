"""Agents that spend at the hub's gateway, where a scripted model says what it used."""

from typing import Any

from gateway.conftest import KEY, Playing
from hub.played import PlayedHub
from scripted_api import Fault, ScriptedApi, Text, Turn, Usage

# Sonnet 4.5 costs $3 for a million tokens in and $15 out.
CENTS_10 = Usage(input=0, output=6_667)  # 100,005 micro-dollars


def upstream(api: ScriptedApi) -> dict[str, Any]:
    """The settings of a hub whose model is the script."""
    return {"runtime": "claude", "anthropic_api_key": KEY, "anthropic_base_url": api.url}


def says(usage: Usage, *faults: Fault) -> list[Any]:
    return [Turn((Text("Done."),), usage, faults)]


async def calling(hub: PlayedHub, **fields: Any) -> Playing:
    """An agent that has its order."""
    task = await hub.client.submit({"prompt": "Work", **fields})
    worker = await hub.worker(task.id)
    order = await worker.claim()
    return Playing(hub, task, worker, order["upstream"])
