"""What the gateway adds to a call of the model: the same calls, through the hub and past it, in turn."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

from bench.figures import Figure, percentile
from bench.hub import Hub, running
from bench.load import Connection
from bench.tasks import WAITING, batch
from swarm_hub.identity.agent_tokens import AgentTokens
from swarm_hub.identity.secret import load_secret

CALLS = 150
STREAMS = 20
ROUNDS = 5
MANY = 50
LIMIT = 60.0
PROMPT = "x" * 50_000  # what Claude Code sends in its first request
BODY = {"model": "claude-sonnet-4-5", "max_tokens": 1_000, "stream": True}
KEY = "sk-ant-bench"
RICH = 10_000_000  # cents: nothing waits for money


def measure(folder: Path) -> Iterator[Figure]:
    with _model() as model:
        upstream = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": model}
        budgets = {"DAILY_BUDGET_CENTS": str(RICH), "WEEKLY_BUDGET_CENTS": str(RICH)}
        with running(folder, SIMULATE_MODE="false", SWARM_RUNTIME="scripted", **upstream, **budgets) as hub:
            token = _token(hub)
            yield asyncio.run(_memory(hub, token))  # first: what Python once had it keeps
            yield from asyncio.run(_compare(model, f"{hub.url}/anthropic", token))


async def _compare(model: str, gateway: str, token: str) -> list[Figure]:
    async with httpx.AsyncClient(trust_env=False, timeout=LIMIT, limits=httpx.Limits(max_connections=None)) as http:
        for url in (model, gateway) * 10:
            await _call(http, url, token)
        pairs = [(await _call(http, model, token), await _call(http, gateway, token)) for _ in range(CALLS)]
        rates = [(await _rate(http, model, token), await _rate(http, gateway, token)) for _ in range(ROUNDS)]
    added = [(through - past) * 1000 for past, through in pairs]
    return [
        Figure("gateway: first piece of an answer, added, p50", percentile(added, 50), "ms", at_most=5),
        Figure("gateway: first piece of an answer, added, p99", percentile(added, 99), "ms", at_most=20),
        Figure(f"gateway: answers on {STREAMS} streams", median(rate for _, rate in rates), "per s"),
        Figure(f"the same, past the gateway, {STREAMS} streams", median(rate for rate, _ in rates), "per s"),
    ]


async def _call(http: httpx.AsyncClient, url: str, token: str, prompt: str = PROMPT) -> float:
    """Seconds to the first piece of the answer, which is heard to its end."""
    body = {**BODY, "messages": [{"role": "user", "content": prompt}]}
    begin, first = time.monotonic(), 0.0
    async with http.stream("POST", f"{url}/v1/messages?beta=true", json=body, headers={"x-api-key": token}) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for _ in answer.aiter_raw():
            first = first or time.monotonic() - begin
    return first


async def _rate(http: httpx.AsyncClient, url: str, token: str) -> float:
    async def calls() -> None:
        for _ in range(10):
            await _call(http, url, token)

    begin = time.monotonic()
    await asyncio.gather(*(calls() for _ in range(STREAMS)))
    return STREAMS * 10 / (time.monotonic() - begin)


async def _memory(hub: Hub, token: str) -> Figure:
    """Streams that are open at once, each answered slowly, over the hub after its first calls."""
    async with httpx.AsyncClient(trust_env=False, timeout=LIMIT, limits=httpx.Limits(max_connections=None)) as http:
        for _ in range(3):
            await _call(http, f"{hub.url}/anthropic", token)
        before = hub.process.memory_info().rss
        calls = [
            asyncio.create_task(_call(http, f"{hub.url}/anthropic", token, '"slow"' + PROMPT)) for _ in range(MANY)
        ]
        most = before
        while not all(call.done() for call in calls):
            most = max(most, hub.process.memory_info().rss)
            await asyncio.sleep(0.02)
    return Figure(f"gateway: memory for each of {MANY} streams", (most - before) / MANY / 1024, "KB", at_most=1024)


def _token(hub: Hub) -> str:
    """The model token of an agent that lives."""
    with hub.events("?types=task_started") as events:
        assert Connection(hub.address).exchange(batch(1, 11, **WAITING, budgetCents=RICH)).status == 201
        agent_id = json.loads(events.recv(LIMIT))["payload"]["agentId"]
    return AgentTokens(load_secret(hub.folder / "data" / "worker.secret")).issue("model", agent_id, time.time())


@contextmanager
def _model() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-m", "bench.model"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
