"""Fly's Machines API as far as workers need it, held against its published document, with the habits it has in life."""

import asyncio
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from executors.published import Published

TOKEN = "FlyV1 fm2_OfTheTestsOfTheTestsOfTheTests"
DOCUMENT = Published("fly-machines.json", "/v1", undocumented=["metadata.{key}"])
DURATION = re.compile(r"(\d+)(ms|s)")


@dataclass
class Machine:
    """`terminated` is set when its program gets SIGTERM; `program` gives the exit code."""

    id: str
    asked: dict[str, Any]
    state: str = "created"
    events: list[dict[str, Any]] = field(default_factory=list)
    terminated: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    running: asyncio.Task[None] | None = None
    finished: "asyncio.Future[int]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    heard: bool = False
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    @property
    def agent_id(self) -> str:
        return str(self.asked["config"]["metadata"]["swarm_agent"])

    @property
    def environment(self) -> dict[str, str]:
        return dict(self.asked["config"]["env"])

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id, "name": self.asked["name"], "state": self.state, "region": self.asked["region"],
            "instance_id": f"01{self.id}", "config": self.asked["config"], "events": self.events,
            "created_at": self.created_at, "host_status": "ok",
        }  # fmt: skip


async def listening(machine: Machine) -> int:
    """A worker that ends when it is asked to, or told its exit code."""
    asked = asyncio.create_task(machine.terminated.wait())
    asked.add_done_callback(lambda _: _finish(machine))
    code = await machine.finished
    asked.cancel()
    machine.heard = machine.terminated.is_set()
    return code


def _finish(machine: Machine) -> None:
    if not machine.finished.done():
        machine.finished.set_result(0)


async def stubborn(machine: Machine) -> int:
    """A worker that does not listen."""
    return await machine.finished


class FakeFly:
    """`room`: machines that a region takes (unlimited where it is not named). `burst`: creates at once; then 1/s."""

    def __init__(self, program: Callable[[Machine], Awaitable[int]] = listening) -> None:
        self.program = program
        self.machines: dict[str, Machine] = {}
        self.ever: list[Machine] = []
        self.room: dict[str, int] = {}
        self.creates: list[float] = []
        self.rate: tuple[float, int] | None = None
        self.tokens = 0.0
        self.unseen = 0  # lists in which a new machine is not there yet
        self.faults: list[str] = []
        self.log: dict[str, list[str]] = {}
        self.clash = 0  # creates that find their host full
        self._ids = itertools.count(1)
        machines = "/v1/apps/{app}/machines"
        one = machines + "/{id}"
        self.app = Starlette(routes=[
            Route("/v1/apps/{app}", self._checked(self._app)),
            Route(machines, self._checked(self._create), methods=["POST"]),
            Route(machines, self._checked(self._list), methods=["GET"]),
            Route(one, self._checked(self._get), methods=["GET"]),
            Route(one, self._checked(self._destroy), methods=["DELETE"]),
            Route(one + "/events", self._checked(self._events)),
            Route(one + "/stop", self._checked(self._stop), methods=["POST"]),
            Route(one + "/wait", self._checked(self._wait)),
            Route("/api/v1/apps/{app}/logs", self._logs),
        ])  # fmt: skip

    def running(self, agent_id: str) -> list[Machine]:
        return [each for each in self.machines.values() if each.agent_id == agent_id and each.running]

    def lose(self, machine_id: str) -> None:
        """Its host is gone, with all that was on it: no exit was ever told."""
        self.machines[machine_id].running and self.machines[machine_id].running.cancel()  # type: ignore[union-attr]
        self._destroyed(self.machines[machine_id])

    def forget(self, machine_id: str) -> None:
        """As if it had never been there."""
        self.lose(machine_id)
        del self.machines[machine_id]

    def end_all(self) -> None:
        for machine in self.machines.values():
            if machine.running:
                machine.running.cancel()

    def _checked(self, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.headers.get("authorization") != TOKEN:
                return JSONResponse({"error": "Authenticate: token validation error"}, 401)
            body = await request.body()
            sent = json.loads(body) if body else None
            found = DOCUMENT.faults(request.method, request.url.path, request.query_params.keys(), sent)
            if found:
                self.faults += [f"{request.method} {request.url.path}: {fault}" for fault in found]
                return JSONResponse({"error": f"invalid_argument: {found}"}, 400)
            return self._held(request, await endpoint(request))

        return answer

    def _held(self, request: Request, response: Response) -> Response:
        if response.body:
            told = _without_nulls(json.loads(bytes(response.body)))  # the document knows no `"request": null`
            found = DOCUMENT.answer_faults(request.method, request.url.path, response.status_code, told)
            self.faults += [f"answer to {request.method} {request.url.path}: {fault}" for fault in found]
        return response

    async def _app(self, request: Request) -> Response:
        name = request.path_params["app"]
        if name == "missing":
            return JSONResponse({"error": "Could not find App"}, 404)
        return JSONResponse({"id": "app1", "name": name, "status": "deployed"})

    async def _create(self, request: Request) -> Response:
        asked = await request.json()
        if (refusal := self._refusal(request, asked)) is not None:
            return refusal
        machine = Machine(f"{next(self._ids):014x}", asked)
        self.machines[machine.id] = machine
        self.ever.append(machine)
        _note(machine, "launch", "created", None)
        machine.state = "started"
        machine.running = asyncio.create_task(self._run(machine))
        return JSONResponse(machine.shown())

    def _refusal(self, request: Request, asked: dict[str, Any]) -> Response | None:
        if request.path_params["app"] == "missing":
            return JSONResponse({"error": "app not found"}, 404)
        if asked["config"]["image"] == "no-such-image":
            return JSONResponse({"error": "invalid_argument: failed to get manifest no-such-image"}, 400)
        if not self._in_time():
            return JSONResponse({"error": "rate limited"}, 429)
        taken = [
            each for each in self.machines.values() if each.asked["name"] == asked["name"] and not each.gone.is_set()
        ]
        if taken:
            words = f'machine ID {taken[0].id} already exists with name "{asked["name"]}"'
            return JSONResponse({"error": f"already_exists: unique machine name violation, {words}"}, 409)
        if self.clash:
            self.clash -= 1
            words = "insufficient memory available to fulfill request on the current host"
            return JSONResponse({"error": f"aborted: could not reserve resource for machine: {words}"}, 409)
        here = [each for each in self.machines.values() if each.running and each.asked["region"] == asked["region"]]
        if len(here) >= self.room.get(asked["region"], 1_000_000):
            return JSONResponse({"error": "could not find a candidate host", "status": "insufficient_capacity"}, 422)
        return None

    def _in_time(self) -> bool:
        """A token bucket: https://fly.io/docs/machines/api/working-with-machines-api/#rate-limits."""
        now = asyncio.get_running_loop().time()
        before, self.creates = self.creates, [*self.creates, now]
        if self.rate is None:
            return True
        per_second, burst = self.rate
        since = now - before[-1] if before else 0.0
        self.tokens = min(float(burst), self.tokens + since * per_second) if before else float(burst)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    async def _run(self, machine: Machine) -> None:
        code, oom = 137, False
        try:
            code = await self.program(machine)
        except MemoryError:
            oom = True
        finally:
            machine.running = None
            exit_event = {
                "requested_stop": machine.terminated.is_set(), "exit_code": code, "guest_exit_code": 0, "signal": -1,
                "oom_killed": oom,
            }  # fmt: skip
            _note(machine, "exit", "stopped", {"exit_event": exit_event, "restart_count": 0})
            self._destroyed(machine)

    def _destroyed(self, machine: Machine) -> None:
        machine.state, machine.running = "destroyed", None
        machine.gone.set()

    async def _list(self, request: Request) -> Response:
        """Of what is new the list learns late (Corrosion, by the words of flyctl)."""
        wanted = {k.removeprefix("metadata."): v for k, v in request.query_params.items() if k.startswith("metadata.")}
        deleted = request.query_params.get("include_deleted") == "true"
        found = [
            each for each in self.machines.values()
            if wanted.items() <= each.asked["config"]["metadata"].items() and (deleted or not each.gone.is_set())
        ]  # fmt: skip
        if self.unseen:
            self.unseen -= 1
            found = found[:-1]
        return JSONResponse([each.shown() for each in found])

    async def _get(self, request: Request) -> Response:
        """One that is destroyed still answers; 404 is for what was never there."""
        machine = self._machine(request)
        return JSONResponse(machine.shown()) if machine else _unknown(request)

    async def _events(self, request: Request) -> Response:
        machine = self._machine(request)
        return JSONResponse(machine.events) if machine else _unknown(request)

    async def _destroy(self, request: Request) -> Response:
        machine = self._machine(request)
        if machine is None or machine.gone.is_set():
            return _unknown(request)
        if machine.running:
            machine.running.cancel()
        return JSONResponse({"ok": True})

    async def _stop(self, request: Request) -> Response:
        machine = self._machine(request)
        if machine is None:
            return _unknown(request)
        amount, unit = DURATION.fullmatch((await request.json())["timeout"]).groups()  # type: ignore[union-attr]
        if machine.running:
            machine.terminated.set()
            seconds = int(amount) / (1000 if unit == "ms" else 1)
            asyncio.get_running_loop().call_later(seconds, _kill, machine.running)
        return JSONResponse({"ok": True})

    async def _wait(self, request: Request) -> Response:
        machine, seconds = self._machine(request), int(request.query_params.get("timeout", 60))
        if not 1 <= seconds <= 60:
            words = "invalid WaitMachineRequest.Timeout: value must be inside range [1s, 1m0s]"
            return JSONResponse({"error": f"invalid_argument: {words}"}, 400)
        if machine is None:
            return _unknown(request)
        if request.query_params.get("state") != "destroyed":
            return JSONResponse({"ok": True, "state": machine.state})
        try:
            async with asyncio.timeout(seconds):
                await machine.gone.wait()
        except TimeoutError:
            words = f"machine failed to reach desired state, destroyed, currently {machine.state}"
            return JSONResponse({"error": f"deadline_exceeded: {words}"}, 408)
        return JSONResponse({"ok": True, "state": "destroyed"})

    async def _logs(self, request: Request) -> Response:
        lines = self.log.get(request.query_params["instance"], [])
        data = [{"id": str(i), "type": "log", "attributes": {"timestamp": f"2026-01-01T00:00:{i:02}Z", "message": line}}
                for i, line in enumerate(lines)]  # fmt: skip
        return JSONResponse({"data": data, "meta": {"next_token": "0"}})

    def _machine(self, request: Request) -> Machine | None:
        return self.machines.get(request.path_params["id"])


def _note(machine: Machine, kind: str, status: str, request: Any) -> None:
    """Newest first."""
    number = len(machine.events) + 1
    machine.events.insert(0, {
        "id": f"{machine.id}-{number}", "type": kind, "status": status, "source": "flyd",
        "timestamp": 1_771_113_250_000 + number, "request": request,
    })  # fmt: skip


def _kill(running: asyncio.Task[None]) -> None:
    running.cancel()


def _unknown(request: Request) -> Response:
    return JSONResponse({"error": f"invalid machine ID, '{request.path_params['id']}'"}, 404)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return value
