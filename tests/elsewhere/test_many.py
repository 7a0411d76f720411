"""Five hundred tasks on a Fly that fails one call in twenty: all complete, each was carried by one worker, once."""

import asyncio
import random
import secrets
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx

from elsewhere.machines import free_port
from executors.clouds import FAULTS, Fault, Faulty, serving
from executors.fake_fly import TOKEN, FakeFly, Machine
from hub.played import serving as served
from hubs import ADMIN_KEY
from swarm_api.client import HubClient
from swarm_executors.calls import Patience
from swarm_executors.fly import FlyExecutor
from swarm_executors.fly_machines import FlyApp
from swarm_hub.app import build_app, open_hub
from swarm_hub.settings import Settings
from waiting import until

TASKS, AT_ONCE, SPOILED = 500, 40, 0.05
LIMIT = 240.0
HASTY = Patience(timeout=0.5, tries=4, first=0.01, most=0.05)


class Workers:
    """They take their order and report that they are done. `claims` counts whose order was given out."""

    def __init__(self) -> None:
        self.claims: Counter[str] = Counter()
        self._http = httpx.AsyncClient(trust_env=False, timeout=30, limits=httpx.Limits(max_connections=AT_ONCE))

    async def work(self, machine: Machine) -> int:
        told = machine.environment
        headers = {"Authorization": f"Bearer {told['SWARM_WORKER_TOKEN']}"}
        path = f"{told['SWARM_HUB_URL']}/worker/v1/agents/{told['SWARM_AGENT_ID']}"
        order = await self._http.post(f"{path}/claim", json={"incarnation": secrets.token_hex(8)}, headers=headers)
        if order.status_code != 200:
            return 3
        self.claims[order.json()["taskId"]] += 1
        reports = {"reports": [{"n": 1, "kind": "result", "status": "success"}], "seenControl": 0}
        return 0 if (await self._http.post(f"{path}/reports", json=reports, headers=headers)).is_success else 4

    async def aclose(self) -> None:
        await self._http.aclose()


def spoiling(seed: int) -> Callable[[int], Fault | None]:
    chance = random.Random(seed)  # noqa: S311 - it is to be the same each time
    return lambda _call: chance.choice(FAULTS) if chance.random() < SPOILED else None


async def test_all_end_once(tmp_path: Path) -> None:
    workers = Workers()
    fly = FakeFly(workers.work)
    faulty = Faulty(fly.app, spoiling(20_261_124))
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    async with serving(faulty) as cloud:
        app = FlyApp(TOKEN, "swarm-workers", "registry.example/worker:1", api_url=cloud, logs_url=cloud)
        executor = FlyExecutor(app, HASTY, poll_every=0.5, limit=(1000.0, 1000))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        settings = Settings(
            data_dir=data, bootstrap_key=ADMIN_KEY, public_url=url, max_parallel_agents=AT_ONCE, simulate=True
        )
        with socket.create_server(("127.0.0.1", port)) as listener:
            async with (
                open_hub(settings, url, executor) as hub,
                served(hub, build_app(hub, url), listener),
                HubClient(url, ADMIN_KEY) as client,
            ):
                tasks = await client.submit_batch([{"prompt": f"Task {n}"} for n in range(TASKS)])
                async with asyncio.timeout(LIMIT):
                    seen: Counter[str] = Counter()
                    async for event in client.events(after=0, types=["task_completed", "task_failed"]):
                        seen[event.type] += 1
                        if seen.total() == TASKS:
                            break
                ids = {task.id for task in tasks}
                done = [task async for task in client.all_tasks()]
                assert seen == {"task_completed": TASKS}
                assert {(task.status, task.attempts) for task in done} == {("completed", 1)}
                assert workers.claims == dict.fromkeys(ids, 1)
                await until(lambda: not any(machine.running for machine in fly.ever), LIMIT)
    await workers.aclose()
    assert fly.faults == []
