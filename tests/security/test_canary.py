"""Each credential there is gets planted, and let out by agents in every way: no byte that the system writes, answers or
starts a process with holds a piece of one.

Not searched: what an agent itself wrote into its worktree, and the memory of processes.
"""

import asyncio
import base64
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from hubs import HubProcess
from security.canaries import Canary, by_shape, drawn, in_use, leaks, outlets, private_key
from security.tasks import script
from swarm_hub.routes.table import ROUTES
from waiting import until

LIMIT = 120.0  # seconds
QUIET = 1.0  # seconds in which a stream has nothing more to say
MARK = b"[redacted]"

ANTHROPIC = in_use("ANTHROPIC_API_KEY", "sk-ant-api03-", 95)
SIGNING, SIGNED_BEFORE = in_use("JWT_SECRET", "", 48), in_use("the other JWT_SECRET", "", 48)
BOOTSTRAP = in_use("SWARM_BOOTSTRAP_KEY", "sk_swarm_canary01_")
IN_USE = (ANTHROPIC, SIGNING, SIGNED_BEFORE, BOOTSTRAP)
BY_SHAPE = (
    by_shape("GitHub", "ghp_", 36),
    by_shape("Fly", "FlyV1 fm2_", 120),
    by_shape("AWS", "aws_secret_access_key = ", 40),
    by_shape("a stranger's JWT", f"eyJ{drawn(24)}.eyJ{drawn(60)}.", 43),
    by_shape("a stranger's header", "Authorization: Bearer ", 40),
    by_shape("a database's password", "postgres://ada:", 24, "@db.example.org/shop"),
    private_key(),
)
CANARIES = (*IN_USE, *BY_SHAPE)
WORKER_KNOWS = (ANTHROPIC, replace(BOOTSTRAP, in_use=False), *BY_SHAPE)
"""A hub does not tell its workers what it signs with: if an agent finds that, it may lie in the reports that its worker
has yet to send and in the worker's own errors, which it could write itself. The hub lets none of it in."""


@dataclass
class Evidence:
    """What was found, by its place."""

    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    processes: dict[str, bytes] = field(default_factory=dict)
    spools: dict[str, bytes] = field(default_factory=dict)


class Scene:
    """A hub with all its credentials, and agents that find the canaries in files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vault = folder / "vault"
        self.vault.mkdir()
        self.hub = HubProcess(
            folder / "hub",
            ANTHROPIC_API_KEY=ANTHROPIC.text,
            ANTHROPIC_KEY_MODE="inject",  # so that workers have it at all
            JWT_SECRET=f"{SIGNING.text},{SIGNED_BEFORE.text}",
            SWARM_BOOTSTRAP_KEY=BOOTSTRAP.text,
            LOG_LEVEL="debug",
            MAX_PARALLEL_AGENTS="11",
        )
        self.tasks: list[str] = []
        self.seen = Evidence()

    @property
    def http(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {BOOTSTRAP.text}"}
        return httpx.Client(base_url=self.hub.url, headers=headers, trust_env=False, timeout=LIMIT)

    def submit(self, *steps: Mapping[str, Any], **fields: Any) -> str:
        with self.http as http:
            answer = http.post("/api/tasks", json={"prompt": script(*map(dict, steps)), **fields})
        assert answer.status_code == 201, answer.text
        self.tasks.append(answer.json()["id"])
        return self.tasks[-1]

    def plant(self, canary: Canary) -> Path:
        path = self.vault / canary.name.replace(" ", "-").replace("'", "")
        path.write_text(canary.text)
        return path

    def get(self, path: str, accept: str = "*/*") -> bytes:
        with self.http as http:
            return http.get(path, headers={"Accept": accept}).content

    def all_have(self, *statuses: str) -> bool:
        tasks = json.loads(self.get("/api/tasks?limit=200"))["tasks"]
        return {task["status"] for task in tasks} <= set(statuses)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Everything has happened, and the hub is stopped."""
    scene = Scene(tmp_path_factory.mktemp("canary"))
    (scene.folder / "hub").mkdir()
    scene.hub.start()
    try:
        asyncio.run(_play(scene))
        yield scene
    finally:
        scene.hub.kill()
        scene.hub.end_agents()


async def _play(scene: Scene) -> None:
    followers = await _let_agents_speak(scene)
    _ask_with_canaries(scene)
    _look_at_files(scene, "while it runs")
    _look_at_answers(scene)
    for follower in followers:
        follower.join(LIMIT)
    assert scene.hub.stop() == 0
    _look_at_files(scene, "afterwards")


async def _let_agents_speak(scene: Scene) -> list[Thread]:
    files = {canary.name: scene.plant(canary) for canary in CANARIES}
    done, go = scene.folder / "done", scene.folder / "go"
    done.mkdir()
    for canary in CANARIES:
        file = files[canary.name]
        hold = f"touch {done}/$SWARM_AGENT; until [ -e {go} ]; do sleep 0.05; done"
        scene.submit(*outlets(canary, file), {"run": hold}, verify=f"cat {file}; false")
    followers = [_follow(scene, task) for task in scene.tasks]
    await until(lambda: len(list(done.iterdir())) == len(CANARIES), LIMIT)
    _look_at_processes(scene)
    go.touch()
    for canary in CANARIES:
        scene.submit({"choke": str(files[canary.name])})
    await until(lambda: scene.all_have("failed"), LIMIT)
    return followers


def _follow(scene: Scene, task: str) -> Thread:
    def read() -> None:
        accept = "text/event-stream"
        with suppress(httpx.HTTPError):  # the hub of a scene that failed is killed
            scene.seen.answers[f"live log of {task}"] = scene.get(f"/api/tasks/{task}/logs?follow=true", accept)

    thread = Thread(target=read, daemon=True)
    thread.start()
    return thread


def _look_at_processes(scene: Scene) -> None:
    """Of the hub itself, too: it has taken its secrets out of its environment."""
    pids = {scene.hub.pid, *scene.hub.agent_processes()}
    pids |= {child.pid for child in psutil.Process(scene.hub.pid).children(recursive=True)}
    assert len(pids) > 2 * len(CANARIES)
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            said = "\0".join([*process.cmdline(), *(f"{k}={v}" for k, v in process.environ().items())])
            scene.seen.processes[f"{process.name()} {pid}"] = said.encode(errors="surrogateescape")
        if sys.platform == "linux":
            scene.seen.spools.update(_unlinked(pid, scene.hub.data_dir))


def _unlinked(pid: int, below: Path) -> dict[str, bytes]:
    """What a process keeps in files that have no name any more, as a worker its reports."""
    found = {}
    with suppress(OSError):  # it has ended
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = str(link.readlink())
            if target.startswith(str(below)) and target.endswith("(deleted)"):
                found[f"{target} of {pid}"] = link.read_bytes()
    return found


def _look_at_files(scene: Scene, when: str) -> None:
    for path in (scene.folder / "hub").rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                scene.seen.files[f"{path.relative_to(scene.folder)} {when}"] = path.read_bytes()


def _ask_with_canaries(scene: Scene) -> None:
    """Clients that send the hub its own credentials, where they do not belong."""
    for canary in IN_USE:
        said = canary.text
        bodies: list[dict[str, Any]] = [
            {"prompt": f"use {said}"}, {"prompt": "p", "labels": {"key": said}}, {"prompt": "p", "model": said},
            {"prompt": "p", said: 1}, {"prompt": "p", "repo": f"/{said}"}, {"prompt": "p", "dependsOn": [said]},
        ]  # fmt: skip
        with scene.http as http:
            answers = [http.post("/api/tasks", json=body) for body in bodies]
            answers += [http.post("/api/auth/api-keys", json={"name": said, "scopes": [said]})]
            answers += [http.post("/api/tasks", content=f'{{"prompt": "{said}'.encode())]
            answers += [http.post("/api/tasks", json={"prompt": "p"}, headers={"Idempotency-Key": said})]
            answers += [http.get(f"/api/tasks/{said}"), http.get(f"/{said}"), http.get(f"/api/tasks?{said}={said}")]
            answers += [http.get(f"/api/tasks?status={said}"), http.get(f"/api/events?types={said}")]
            answers += [http.get("/api/queue", headers={"X-Request-Id": said[:64]})]
            answers += [http.get("/api/queue", headers={"Authorization": f"Bearer {said}x"})]
        scene.seen.answers.update(
            {f"{a.request.method} {i} with {canary.name}": a.content for i, a in enumerate(answers)}
        )
        scene.seen.answers[f"socket with {canary.name}"] = _socket(scene, f"?types={said}")


def _look_at_answers(scene: Scene) -> None:
    agents = [agent["id"] for agent in json.loads(scene.get("/api/agents"))["agents"]]
    keys = ["key_canary01"]
    assert len(agents) == 2 * len(CANARIES)
    for route in (route for route in ROUTES if route.method == "GET"):
        ids = agents if "agents" in route.path else keys if "auth" in route.path else scene.tasks
        for id_ in ids if "{id}" in route.path else [""]:
            path = route.path.replace("{id}", id_)
            for accept in ("*/*", "application/json", "text/plain", "text/x-diff"):
                if path != "/api/events" or accept == "application/json":  # else it goes on for ever
                    scene.seen.answers[f"GET {path} as {accept}"] = scene.get(path, accept)
    scene.seen.answers["all lines"] = b"".join(scene.get(f"/api/tasks/{id_}/logs?limit=10000") for id_ in scene.tasks)
    scene.seen.answers["all events"] = _events(scene)
    scene.seen.answers["socket"] = _socket(scene, "?after=0")


def _events(scene: Scene) -> bytes:
    said = b""
    with scene.http as http, suppress(httpx.ReadTimeout):
        options = {"headers": {"Accept": "text/event-stream"}, "timeout": QUIET}
        with http.stream("GET", "/api/events?after=0", **options) as events:  # type: ignore[arg-type]
            for chunk in events.iter_raw():
                said += chunk
    return said


def _socket(scene: Scene, query: str) -> bytes:
    headers = {"Authorization": f"Bearer {BOOTSTRAP.text}"}
    address = f"{scene.hub.url.replace('http', 'ws')}/ws{query}"
    said: list[str] = []
    with connect(address, additional_headers=headers, proxy=None) as socket:
        try:
            while True:
                said.append(str(socket.recv(QUIET)))
        except TimeoutError:
            pass
        except ConnectionClosed as closed:
            said.append(str(closed))
    return "\n".join(said).encode()


def test_no_file_that_was_written_holds_a_credential(scene: Scene) -> None:
    names = " ".join(scene.seen.files)
    assert all(each in names for each in ("hub.db", "hub.log", "hub.json", "output.log", ".git/config", "hub.db-wal"))
    of_workers = {name: data for name, data in scene.seen.files.items() if "output.log" in name}
    others = {name: data for name, data in scene.seen.files.items() if name not in of_workers}
    assert leaks(CANARIES, others) == {}
    assert leaks(WORKER_KNOWS, of_workers) == {}


def test_no_answer_holds_a_credential(scene: Scene) -> None:
    assert len(scene.seen.answers) > len([route for route in ROUTES if route.method == "GET"])
    assert leaks(CANARIES, scene.seen.answers) == {}


def test_no_process_is_started_with_a_credential(scene: Scene) -> None:
    assert len(scene.seen.processes) > 2 * len(CANARIES)
    assert leaks(CANARIES, scene.seen.processes) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="it is seen in /proc")
def test_no_worker_keeps_a_credential_for_sending(scene: Scene) -> None:
    assert sum(MARK in data for data in scene.seen.spools.values()) >= len(WORKER_KNOWS)
    assert leaks(WORKER_KNOWS, scene.seen.spools) == {}


def test_each_was_let_out_in_every_way(scene: Scene) -> None:
    """Or there would have been nothing to find."""
    spoken, choked = scene.tasks[: len(CANARIES)], scene.tasks[len(CANARIES) :]
    seen = scene.seen.answers
    for canary, task in zip(CANARIES, spoken, strict=True):
        marked = [line for line in seen[f"live log of {task}"].split(b"\r\n") if MARK in line]
        assert len(marked) >= len(outlets(canary, Path())), canary.name
    summaries = [task for task in [*spoken, *choked] if MARK in seen[f"GET /api/tasks/{task} as application/json"]]
    assert len(summaries) >= 2 * len(CANARIES) - 1  # the last line of a private key may be shown


def test_the_search_finds_a_piece_of_what_was_let_out() -> None:
    """In the middle, and in base 64."""
    said = {
        "a piece": f"…{ANTHROPIC.text[40:60]}…".encode(),
        "encoded": base64.b64encode(f"the key is {ANTHROPIC.text}".encode())[30:60],
        "nothing": b"sk-ant-api03-",
    }
    assert leaks([ANTHROPIC, SIGNING], said) == {"ANTHROPIC_API_KEY": ["a piece", "encoded"]}
