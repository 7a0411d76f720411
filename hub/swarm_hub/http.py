"""A route: what it takes, who may call it, what it answers; one table of them makes the server and its description."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from swarm_api.base import Answer, Model
from swarm_api.errors import InvalidInput, MalformedRequest, NotAuthenticated, TooLarge
from swarm_api.ids import AGENT_ID as AGENT
from swarm_api.ids import TASK_ID as TASK
from swarm_api.invalid import invalid
from swarm_api.worker import Wire
from swarm_hub.about import AGENT_ID, REQUEST_ID, TASK_ID
from swarm_hub.identity.callers import PERMISSIONS, Caller, Permission
from swarm_hub.identity.identity import GIT, Identity, address_of
from swarm_hub.problems import bad_query, problem
from swarm_hub.services import Hub
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction

MAX_BODY = 10 * 1024 * 1024
M = TypeVar("M", bound=BaseModel)
W = TypeVar("W", bound=Wire)
T = TypeVar("T")
Q = TypeVar("Q", bound=BaseModel)


class NoQuery(Model):
    """A route without query parameters."""


class NoBody(Model):
    """A request that says everything by its path."""


@dataclass(frozen=True)
class Call:
    """One request that may: its caller known, its query and path parsed."""

    hub: Hub
    request: Request
    parameters: BaseModel
    caller: Caller
    request_id: str

    @property
    def address(self) -> str:
        """Where it comes from."""
        return address_of(self.request)

    def record(
        self, tx: Transaction, action: str, *, target: str | None = None, detail: str | None = None,
        who: str | None = None,
    ) -> None:  # fmt: skip
        """Note in the audit trail what the caller does, with the change itself."""
        tx.add(schema.audit, {
            "at_ms": tx.now_ms, "who": who or self.caller.id, "action": action, "target": target, "outcome": "done",
            "address": self.address, "request_id": self.request_id, "detail": detail,
        })  # fmt: skip

    def may_go_on(self) -> bool:
        """Whether what stays open may stay so: the hub is not closing, and the caller's credential is good."""
        return not self.hub.closing.is_set() and self.hub.identity.lives(self.caller)

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def query(self, kind: type[Q]) -> Q:
        if not isinstance(self.parameters, kind):
            raise TypeError(f"this route declares {type(self.parameters).__name__} as its query")
        return self.parameters

    async def fields(self) -> Any:
        """The JSON body as Python values; none is an object without fields.

        Raises `MalformedRequest`, `TooLarge`, and `NotAuthenticated` when the credential ended on the body's way here.
        """
        raw = await self.body()
        self.hub.identity.refuse_ended(self.caller)
        return _decode(raw) if raw else {}

    async def body(self, most: int = MAX_BODY) -> bytes:
        """The body, up to so many bytes. Raises `TooLarge`."""
        length = self.request.headers.get("content-length", "0")
        received = bytearray()
        if length.isdigit() and int(length) <= most:
            async for chunk in self.request.stream():
                received += chunk
                if len(received) > most:
                    break
            else:
                return bytes(received)
        raise TooLarge(f"the body is over {most:,} bytes")


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """A row of the table. `answers` maps a status to its model, to a media type where it is no JSON, to None."""

    method: Literal["GET", "POST", "PUT", "DELETE", "WS"]
    path: str
    permission: Permission
    handler: Handler
    summary: str
    query: type[BaseModel] = NoQuery
    body: tuple[type[Any], ...] = ()
    answers: Mapping[int, Any] = field(default_factory=dict)
    creates: bool = False  # honours Idempotency-Key

    def __post_init__(self) -> None:
        if self.permission not in PERMISSIONS:
            raise ValueError(f"{self.method} {self.path} does not say who may call it: {self.permission!r}")

    @cached_property
    def _idle(self) -> BaseModel:
        """The query of a request that has none, made once."""
        return self.query()

    async def answer(self, hub: Hub, request: Request) -> Response:
        response = await self._answer(hub, request)
        hub.counts.requests[self.path, response.status_code] += 1
        return response

    async def _answer(self, hub: Hub, request: Request) -> Response:
        try:
            enter = (
                self._enter(hub.identity, request) if self._counted else hub.identity.admit(self.permission, request)
            )
            caller = await enter
            self._name(caller, request)
            query = parse_query(request, self.query) if request.scope["query_string"] else self._idle
            return await self.handler(Call(hub, request, query, caller, REQUEST_ID.get()))
        except Exception as error:  # the one table knows them all, and hides those it does not
            return problem(error)

    def _name(self, caller: Caller, request: Request) -> None:
        """Whom it is about, for the log; what a path may hold besides is not for it."""
        wanted = next(iter(request.path_params.values()), "")
        if self.permission in ("worker", "model") or (self.permission in GIT and not caller.scopes):
            AGENT_ID.set(caller.id)
        elif TASK.fullmatch(wanted):
            TASK_ID.set(wanted)
        elif AGENT.fullmatch(wanted):
            AGENT_ID.set(wanted)

    @cached_property
    def _counted(self) -> bool:
        return self.path.startswith("/api/auth/")

    async def _enter(self, identity: Identity, request: Request) -> Caller:
        """Requests about credentials are counted: by address, and whoever shows a good one for himself.

        So nobody keeps others at his address from their keys; and to end a credential is never too much.
        """
        address, attempts = address_of(request), identity.attempts
        if self.permission == "open":
            attempts.enter(address)
        try:
            caller = await identity.admit(self.permission, request)
        except NotAuthenticated:
            attempts.enter(address)
            raise
        if self.permission != "open" and self.method != "DELETE" and not self.path.endswith("/revoke"):
            attempts.enter(address, caller.id)
        return caller


def parse_query(connection: HTTPConnection, kind: type[Q]) -> Q:
    """The query parameters as a model. Raises `MalformedRequest`."""
    given = connection.query_params
    lists = {name: given.getlist(name) for name in given}
    fields = {info.alias or name: info for name, info in kind.model_fields.items()}
    values = {k: v if k in fields and _repeats(fields[k].annotation) else v[-1] for k, v in lists.items()}
    try:
        return kind.model_validate(values, by_alias=True, by_name=False)
    except ValidationError as error:
        raise bad_query(error) from None


def _decode(body: bytes) -> Any:
    """JSON as Python values. Raises `MalformedRequest` for what is none, or not UTF-8."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedRequest(f"the body is not JSON: {error}") from None


def parse(kind: type[M], data: Any) -> M:
    """Python values as a model: by the contract's names and types alone. Raises `InvalidInput`."""
    return _parsed(lambda values: kind.model_validate(values, strict=True, by_alias=True, by_name=False), data)


def parse_wire(kind: TypeAdapter[W], data: Any) -> W:
    """The same for what workers send."""
    return _parsed(kind.validate_python, data)


def _parsed(validate: Callable[[Any], T], data: Any) -> T:
    if not isinstance(data, dict):
        raise InvalidInput("the body must be a JSON object")
    try:
        return validate(data)
    except ValidationError as error:
        raise invalid(error) from None


def reply(answer: Answer, status: int = 200) -> Response:
    return Response(answer.to_json(), status, media_type="application/json")


def accepts(request: Request, *kinds: str) -> str:
    """Which of these media types the caller wants most, the first when it has no wish among them."""
    wanted = [part.split(";")[0].strip() for part in request.headers.get("accept", "*/*").split(",")]
    return next((kind for kind in wanted if kind in kinds), kinds[0])


def _repeats(annotation: Any) -> bool:
    return "list" in str(annotation)
