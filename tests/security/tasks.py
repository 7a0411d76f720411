"""Tasks whose agents do as they are told, for tests that tell them to do harm."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

from swarm_api.client import HubClient
from swarm_api.tasks import Task

LIMIT = 60.0  # seconds


def script(*steps: dict[str, Any]) -> str:
    return json.dumps(steps)


async def run(client: HubClient, *steps: dict[str, Any], **fields: Any) -> Task:
    """A task whose agent does the steps, at its end."""
    task = await client.submit({"prompt": script(*steps), **fields})
    async with asyncio.timeout(LIMIT):
        return await client.wait(task.id)


async def log(client: HubClient, task: Task) -> str:
    return "\n".join(line.text for line in (await client.logs(task.id)).lines)


def git(folder: Path, *arguments: str) -> str:
    """git without anything of the user's own."""
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
