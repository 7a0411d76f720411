"""Azure's Container Apps jobs as far as workers need them, held against the published routes and models."""

import asyncio
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

DOCUMENT = json.loads((Path(__file__).parent / "specs/azure-jobs.json").read_text())
TOKEN = "Bearer a-token-of-the-tests"
BASE = "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.App/jobs/{job}"
PAGE = 3  # executions in a page
LIST = re.compile(r"list\['?(\w+)'?\]")


@dataclass
class Execution:
    name: str
    template: dict[str, Any]
    number: int
    status: str = "Running"
    code: int | None = None
    said: str = ""
    terminated: asyncio.Event = field(default_factory=asyncio.Event)
    finished: "asyncio.Future[int]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    heard: bool = False
    running: asyncio.Task[None] | None = None

    @property
    def agent_id(self) -> str:
        env = self.template["containers"][0]["env"]
        return next(str(each["value"]) for each in env if each["name"] == "SWARM_AGENT_ID")

    def shown(self) -> dict[str, Any]:
        containers = [{"name": "worker", "code": self.code, "status": "Terminated", "additionalInformation": self.said}]
        detailed = {"replicas": [{"name": f"{self.name}-x", "containers": containers}]} if self.code is not None else {}
        properties = {
            "status": self.status, "startTime": f"2026-01-01T00:00:{self.number:02}Z", "template": self.template,
            "detailedStatus": detailed,
        }  # fmt: skip
        return {"name": self.name, "type": "Microsoft.App/jobs/executions", "properties": properties}


class FakeAzure:
    """`kills_after`: seconds of its own between asking a container to end and killing it. `accepted`: starts answer 202
    without a body, as an operation under way. `unseen`: lists in which a new execution is not there yet."""

    def __init__(self, program: Callable[[Any], Awaitable[int]]) -> None:
        self.program = program
        self.executions: dict[str, Execution] = {}
        self.ever: list[Execution] = []
        self.faults: list[str] = []
        self.kills_after = 0.2
        self.accepted = False
        self.unseen = 0
        self.configuration: dict[str, Any] = {
            "triggerType": "Manual", "replicaTimeout": 86400, "replicaRetryLimit": 0,
            "manualTriggerConfig": {"parallelism": 1, "replicaCompletionCount": 1},
        }  # fmt: skip
        self._numbers = itertools.count(1)
        one = BASE + "/executions/{name}"
        self.app = Starlette(routes=[
            Route(BASE, self._checked(self._job)),
            Route(BASE + "/start", self._checked(self._start), methods=["POST"]),
            Route(BASE + "/executions", self._checked(self._list)),
            Route(one, self._checked(self._get)),
            Route(one + "/stop", self._checked(self._stop), methods=["POST"]),
        ])  # fmt: skip

    def running(self, agent_id: str) -> list[Execution]:
        return [each for each in self.executions.values() if each.agent_id == agent_id and each.running]

    def forget(self, name: str) -> None:
        if (running := self.executions.pop(name).running) is not None:
            running.cancel()

    def end_all(self) -> None:
        for name in list(self.executions):
            self.forget(name)

    def _checked(self, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.headers.get("authorization") != TOKEN:
                return _error(401, "AuthenticationFailed", "Authentication failed.")
            if faults := _request_faults(request, await request.body()):
                self.faults += faults
                return _error(400, "InvalidRequest", str(faults))
            return await endpoint(request)

        return answer

    async def _job(self, request: Request) -> Response:
        if request.path_params["job"] == "missing":
            return _error(404, "ResourceNotFound", "The job was not found.")
        return JSONResponse({"name": request.path_params["job"], "properties": {"configuration": self.configuration}})

    async def _start(self, request: Request) -> Response:
        if request.path_params["job"] == "missing":
            return _error(404, "ResourceNotFound", "The job was not found.")
        template = await request.json()
        if template["containers"][0]["image"] == "no-such-image":
            return _error(400, "InvalidParameterValueInContainerTemplate", "the image cannot be pulled")
        number = next(self._numbers)
        execution = Execution(f"{request.path_params['job']}-{number:07}", template, number)
        self.executions[execution.name] = execution
        self.ever.append(execution)
        execution.running = asyncio.create_task(self._run(execution))
        if self.accepted:
            return Response(status_code=202, headers={"Location": f"{request.base_url}operation", "Retry-After": "0"})
        return JSONResponse({"name": execution.name, "id": f"{request.url.path}/{execution.name}"})

    async def _run(self, execution: Execution) -> None:
        execution.code = 137
        try:
            execution.code = await self.program(execution)
        except MemoryError:
            execution.said = "OOMKilled"
        finally:
            execution.running = None
            stopped = execution.terminated.is_set()
            execution.status = "Stopped" if stopped else "Failed" if execution.code else "Succeeded"

    async def _list(self, request: Request) -> Response:
        """In pages, the newest first; of what is new it learns late."""
        found = [each.shown() for each in reversed(self.executions.values())]
        if self.unseen:
            self.unseen -= 1
            found = found[1:]
        at = int(request.query_params.get("$filter", "0"))
        after = at + PAGE
        link = f"{request.base_url}{request.url.path[1:]}?api-version={DOCUMENT['api-version']}&$filter={after}"
        return JSONResponse({"value": found[at:after], "nextLink": link if after < len(found) else None})

    async def _get(self, request: Request) -> Response:
        execution = self.executions.get(request.path_params["name"])
        if execution is None:
            return _error(404, "ResourceNotFound", "The execution was not found.")
        return JSONResponse(execution.shown())

    async def _stop(self, request: Request) -> Response:
        execution = self.executions.get(request.path_params["name"])
        if execution is None:
            return _error(404, "ResourceNotFound", "The execution was not found.")
        if execution.running:
            execution.terminated.set()
            asyncio.get_running_loop().call_later(self.kills_after, _kill, execution.running)
        return Response(status_code=202, headers={"Location": f"{request.base_url}operation"})


def _kill(running: asyncio.Task[None]) -> None:
    running.cancel()


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def _request_faults(request: Request, body: bytes) -> list[str]:
    """What is wrong with a request by the published routes and models."""
    route = next((each for each in DOCUMENT["routes"] if _is(each, request)), None)
    if route is None:
        return [f"there is no {request.method} {request.url.path}"]
    unknown = [f"{name} is no parameter" for name in request.query_params if name not in route["query"]]
    if request.query_params.get("api-version") != DOCUMENT["api-version"]:
        unknown.append("api-version is missing or another one")
    takes = "JobExecutionTemplate" if route["operation"] == "jobs_start" else None
    if body and takes is None:
        unknown.append("it takes no body")
    return unknown + (model_faults(takes, json.loads(body)) if body and takes else [])


def _is(route: dict[str, Any], request: Request) -> bool:
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route["path"]))
    return route["method"] == request.method and re.fullmatch(pattern, request.url.path) is not None


def model_faults(name: str, value: Any, where: str = "$") -> list[str]:
    """What a value has that the model has not, or has as another kind."""
    model = DOCUMENT["models"].get(name)
    if model is None or value is None:
        return []
    if not isinstance(value, dict):
        return [f"{where} is no {name}"]
    faults = [f"{where}.{key} is not in {name}" for key in value if key not in model]
    for key, given in value.items():
        if key in model:
            faults += _type_faults(str(model[key]["type"]), given, f"{where}.{key}")
    return faults


def _type_faults(kind: str, value: Any, where: str) -> list[str]:
    if value is None:
        return [] if "Optional" in kind or "None" in kind else [f"{where} must not be null"]
    if found := LIST.search(kind):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [fault for i, each in enumerate(value) for fault in _type_faults(found[1], each, f"{where}[{i}]")]
    simple = {"str": str, "int": int, "float": (int, float), "bool": bool}
    for word, types in simple.items():
        if kind in (word, f"Optional[{word}]"):
            return [] if isinstance(value, types) else [f"{where} is no {word}"]  # type: ignore[arg-type]
    named = next((word for word in re.findall(r"\w+", kind) if word in DOCUMENT["models"]), None)
    return model_faults(named, value, where) if named else []
