"""A hub in the test's own loop, served on a real socket, whose workers are played by the test."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from hubs import ADMIN_KEY, AUTHORIZED
from swarm_api.client import HubClient
from swarm_api.tasks import Task
from swarm_api.worker import Report, ResultReport, to_wire
from swarm_executors.protocol import Handle, Launch, Observation
from swarm_hub.app import build_app, open_hub
from swarm_hub.identity.keys import NOBODYS, Key
from swarm_hub.serve import server_config
from swarm_hub.services import Hub
from swarm_hub.settings import Settings
from swarm_hub.store.writer import Clock, wall_clock

LIMIT = 20.0  # seconds that anything a test waits for may take
Json = dict[str, Any]


class Stage:
    """An executor that starts nothing: it remembers what it was asked, and its workers live until the test says so."""

    region: str | None = None
    poll_every = 0.0

    def __init__(self, name: str = "local") -> None:
        self.name = name
        self.stopped: list[str] = []
        self.ended: dict[str, Observation] = {}
        self._launches: dict[str, Launch] = {}
        self._changed = asyncio.Condition()

    async def start(self, launch: Launch) -> Handle:
        async with self._changed:
            self._launches[launch.agent_id] = launch
            self._changed.notify_all()
        return {"agentId": launch.agent_id}

    async def poll(self, handle: Handle) -> Observation:
        return self.ended.get(handle["agentId"], Observation("alive"))

    async def stop(self, handle: Handle, grace: float) -> None:
        async with self._changed:
            self.stopped.append(handle["agentId"])
            self.ended[handle["agentId"]] = Observation("exited", 0)
            self._changed.notify_all()

    async def list(self, hub_id: str) -> Sequence[Handle]:
        return [{"agentId": agent_id} for agent_id in self._launches if agent_id not in self.ended]

    async def ready(self) -> str:
        return ""

    async def aclose(self) -> None:
        pass

    async def launch_of(self, agent_id: str) -> Launch:
        """What the executor was told about an agent, once it was."""
        async with asyncio.timeout(LIMIT), self._changed:
            await self._changed.wait_for(lambda: agent_id in self._launches)
            return self._launches[agent_id]

    async def stops(self, agent_id: str) -> None:
        """Returns once the executor was asked to stop an agent."""
        async with asyncio.timeout(LIMIT), self._changed:
            await self._changed.wait_for(lambda: agent_id in self.stopped)


class Worker:
    """One agent's side of the worker paths. It numbers its reports as a real one does."""

    def __init__(self, http: httpx.AsyncClient, stage: Stage, agent_id: str, token: str) -> None:
        self.agent_id = agent_id
        self.token = token
        self.headers = httpx.Headers({"Authorization": f"Bearer {token}"})
        self.last = 0
        self._http = http
        self._stage = stage

    async def claim(self, incarnation: str = "the-first-one") -> Json:
        """The work order."""
        return _json(await self.post("claim", {"incarnation": incarnation}))

    async def report(self, *reports: Report, wait: float = 0, seen: int = 0) -> Json:
        """Number and send reports; the hub's acknowledgement."""
        numbered = [{**to_wire(report), "n": self.last + i} for i, report in enumerate(reports, 1)]
        self.last += len(reports)
        return _json(await self.send(numbered, wait=wait, seen=seen))

    async def finish(self, **result: Any) -> Json:
        """Report the end, and leave."""
        ack = await self.report(ResultReport(**{"status": "success", **result}))
        self._stage.ended[self.agent_id] = Observation("exited", 0)
        return ack

    async def send(self, reports: Sequence[Json], wait: float = 0, seen: int = 0) -> httpx.Response:
        """Reports as they are given, whatever their numbers."""
        return await self.post(f"reports?wait={wait}", {"reports": list(reports), "seenControl": seen})

    async def post(self, path: str, body: Json) -> httpx.Response:
        return await self._http.post(f"/worker/v1/agents/{self.agent_id}/{path}", json=body, headers=self.headers)


class PlayedHub:
    """`client` speaks the API in models, `http` in bare requests, and `worker` gives the test an agent to play."""

    def __init__(self, url: str, hub: Hub, stage: Stage, client: HubClient, http: httpx.AsyncClient) -> None:
        self.url = url
        self.parts = hub
        self.stage = stage
        self.client = client
        self.http = http

    async def worker(self, task_id: str, attempt: int = 1) -> Worker:
        """The worker of a task's nth attempt, as soon as the hub has had it started. It has claimed nothing yet."""
        async with asyncio.timeout(LIMIT), aclosing(
            self.client.events(after=0, types=["agent_spawned"], task_id=task_id)
        ) as spawned:  # fmt: skip
            for _ in range(attempt):
                event = await anext(spawned)
        launch = await self.stage.launch_of(event.payload["agentId"])
        return Worker(self.http, self.stage, launch.agent_id, launch.token)

    def bearer(self, *scopes: str) -> dict[str, str]:
        """The header of somebody who may no more than this."""
        identity = self.parts.identity
        key = Key("key_ofatester", "tester", NOBODYS, frozenset(scopes), "local", 0)
        identity.book.keys[key.id] = key
        caller = self.parts.grants.for_key(key.id, None, identity.clock())
        return {"Authorization": f"Bearer {identity.signer.sign(caller, identity.clock())}"}

    def token(self, agent_id: str) -> str:
        """A worker token of an agent's."""
        identity = self.parts.identity
        return identity.agents.issue("worker", agent_id, identity.clock())

    def model_token(self, agent_id: str = "local-agent-00000000") -> str:
        identity = self.parts.identity
        return identity.agents.issue("model", agent_id, identity.clock())

    async def running(self, **fields: Any) -> tuple[Task, Worker]:
        """A new task and its worker, which has claimed it."""
        task = await self.client.submit({"prompt": "Work", **fields})
        worker = await self.worker(task.id)
        await worker.claim()
        return await self.client.task(task.id), worker

    async def ended(self, status: str = "failure", error_code: str | None = None, **fields: Any) -> Task:
        """A task that its worker has brought to an end; `cancelled`: because it was told to."""
        task, worker = await self.running(**fields)
        if status == "cancelled":
            await self.client.cancel(task.id)
        await worker.finish(status=status, error_code=error_code)
        return await self.client.task(task.id)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.http.post(path, json=body, headers=headers)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers=headers)


@asynccontextmanager
async def played_hub(folder: Path, clock: Clock = wall_clock, **settings: Any) -> AsyncIterator[PlayedHub]:
    """A hub in this loop with its data in `folder`, and an executor that is called `provider`.

    The same folder again is the same hub, restarted.
    """
    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    stage = Stage(settings.pop("provider", "local"))
    given = {"data_dir": data, "repo_roots": (folder,), "runtime": "scripted", "bootstrap_key": ADMIN_KEY, **settings}
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)  # who does not read is noticed soon
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            open_hub(Settings(**given), url, stage, clock=clock) as hub,
            serving(hub, build_app(hub, url), listener),
            HubClient(url, ADMIN_KEY) as client,
            httpx.AsyncClient(base_url=url, headers=AUTHORIZED, trust_env=False, timeout=LIMIT) as http,
        ):
            yield PlayedHub(url, hub, stage, client, http)


@asynccontextmanager
async def serving(hub: Hub, app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """An application of this hub's on a socket; at the end the hub is told to close."""
    server = _Server(server_config(app))
    running = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        hub.close()
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # pytest's signals are not the hub's


def _json(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    body: Json = response.json()
    return body
