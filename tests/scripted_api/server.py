"""The server: finds the turn for each request, says it or fails as told, and writes down what happened."""

import asyncio
import json
import socket
import struct
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from scripted_api import answer
from scripted_api.faults import Drop, Fault, Hang, Reset, Status, StreamError, Truncate
from scripted_api.script import Request, Script, Turn, find_turn

NOTHING: Mapping[str, str] = {}
DEADLINE = 60.0  # seconds that a test waits for a request


@dataclass
class Seen:
    """A request, and what became of it: `answering`, `answered`, `hanging`, `disconnected`, `no_script`, or a fault."""

    request: Request
    headers: Mapping[str, str]
    key: str | None = None
    turn: int = 0
    outcome: str = "answering"

    @property
    def streaming(self) -> bool:
        return bool(self.request.body.get("stream"))


class _ClientGone(Exception):
    """The client closed the connection before the answer was complete."""


class ScriptedApi:
    """Give it scripts by key (`api.scripts["key"] = [...]`) and a client its `url`; `seen` holds every request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.scripts: dict[str, Script] = {}
        self.seen: list[Seen] = []
        self.released = asyncio.Event()
        self._met: Counter[tuple[str, str, int]] = Counter()
        self._changed = asyncio.Condition()
        self.count: int | Status = Status(404, "not_found_error")  # the tokens of any prompt, or why it does not count
        self.counted: list[Seen] = []  # requests to count
        self.app = Starlette(
            routes=[
                Route("/v1/messages", self._Messages(self), methods=["POST"]),
                Route("/v1/messages/count_tokens", self._count_tokens, methods=["POST"]),
            ]
        )

    def release(self) -> None:
        """Let everything that hangs go on."""
        self.released.set()

    async def wait_for(self, matches: Callable[[Seen], bool]) -> Seen:
        """The first request that matches, as soon as there is one. Raises `TimeoutError`."""
        async with asyncio.timeout(DEADLINE), self._changed:
            while not (found := [seen for seen in self.seen if matches(seen)]):
                await self._changed.wait()
        return found[0]

    def answered(self, key: str) -> list[Seen]:
        """The requests of a script that got their answer whole."""
        return [seen for seen in self.seen if seen.key == key and seen.outcome == "answered"]

    async def note(self, seen: Seen, outcome: str) -> None:
        seen.outcome = outcome
        async with self._changed:
            self._changed.notify_all()

    def choose(self, seen: Seen) -> tuple[str, Turn, Fault | None] | None:
        """The key, the turn that answers, and the fault to meet first."""
        if (found := find_turn(self.scripts, seen.request)) is None or found[1] >= len(self.scripts[found[0]]):
            return None
        seen.key, seen.turn = found
        planned = self.scripts[seen.key][seen.turn]
        turn = planned if isinstance(planned, Turn) else planned(seen.request)
        place = (seen.request.session, *found)
        met = self._met[place]
        self._met[place] += 1
        return seen.key, turn, turn.faults[met] if met < len(turn.faults) else None

    async def _count_tokens(self, http: HttpRequest) -> Response:
        self.counted.append(await _read(http))
        await self.note(self.counted[-1], "counted")
        if isinstance(self.count, Status):
            return JSONResponse(answer.error(self.count.type, self.count.message), self.count.code, self.count.hints)
        return JSONResponse({"input_tokens": self.count})

    async def count_asked(self) -> None:
        """Returns once somebody has asked for a count. Raises `TimeoutError`."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: self.counted)

    class _Messages:
        """POST /v1/messages, as a plain ASGI application: it must break connections, which a response cannot."""

        def __init__(self, api: "ScriptedApi") -> None:
            self._api = api

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen = await _read(HttpRequest(scope, receive))
            self._api.seen.append(seen)
            exchange = _Exchange(self._api, seen, scope, receive, send)
            try:
                outcome = await exchange.answer()
            except _ClientGone:
                outcome = "disconnected"
            await self._api.note(seen, outcome)


class _Exchange:
    """One request and its answer."""

    def __init__(self, api: ScriptedApi, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        self._api, self._seen = api, seen
        self._scope, self._receive, self._send = scope, receive, send
        self._begun = False
        self._headers: Mapping[str, str] = NOTHING

    async def answer(self) -> str:
        """What became of it."""
        if (chosen := self._api.choose(self._seen)) is None:
            return await self._respond(400, answer.error("invalid_request_error", "no script"), "no_script")
        key, turn, fault = chosen
        self._headers = turn.headers
        # Without the key: the CLI quotes the ids of tool calls in prompts of its own.
        number = f"{len(self._seen.request.body['messages'])}_{self._seen.turn}_{zlib.crc32(key.encode()):08x}"
        model = self._seen.request.body["model"]
        if isinstance(fault, Status):
            return await self._status(fault)
        if not self._seen.streaming:
            return await self._respond(200, answer.message(turn, model, number), "answered", turn.headers)
        events = [answer.sse(event) for event in answer.events(turn, model, number)]
        if fault is None:
            await self._say(events)
            return await self._end("answered")
        await self._say(list(islice(events, fault.after)))
        return await self._fail(fault, events[fault.after :])

    async def _fail(self, fault: Fault, rest: list[bytes]) -> str:
        match fault:
            case Drop():
                await self._break(reset=False)
            case Reset():
                await self._break(reset=True)
            case Truncate():
                await self._end("truncate")
            case StreamError(type=kind):
                await self._say([answer.sse(answer.error(kind, "as the script wants it"))])
                await self._end("error")
            case Hang():
                await self._hang()
                await self._say(rest)
                return await self._end("answered")
        return type(fault).__name__.lower()

    async def _hang(self) -> None:
        await self._api.note(self._seen, "hanging")
        released = asyncio.ensure_future(self._api.released.wait())
        gone = asyncio.ensure_future(self._receive())
        await asyncio.wait({released, gone}, return_when=asyncio.FIRST_COMPLETED)
        released.cancel()
        if gone.done():
            raise _ClientGone
        gone.cancel()

    async def _say(self, events: list[bytes]) -> None:
        for event in events:
            if not self._begun:
                self._begun = True
                given = [(name.encode(), value.encode()) for name, value in self._headers.items()]
                headers = [(b"content-type", b"text/event-stream; charset=utf-8"), *given]
                await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._send({"type": "http.response.body", "body": event, "more_body": True})

    async def _end(self, outcome: str) -> str:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        return outcome

    async def _status(self, fault: Status) -> str:
        body = answer.error(fault.type, fault.message)
        return await self._respond(fault.code, body, str(fault.code), fault.hints)

    async def _respond(self, status: int, body: Any, outcome: str, headers: Mapping[str, str] = NOTHING) -> str:
        response: Response = JSONResponse(body, status, headers)
        await response(self._scope, self._receive, self._send)
        return outcome

    async def _break(self, reset: bool) -> None:
        """ASGI has no word for it: the callable it gives belongs to uvicorn's cycle, which holds the transport."""
        transport: asyncio.Transport = self._receive.__self__.transport  # type: ignore[attr-defined]
        if reset:
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        await self._receive()  # uvicorn notices


async def _read(http: HttpRequest) -> Seen:
    body = json.loads(await http.body())
    session = http.headers.get("x-claude-code-session-id", "")
    request = Request(body, session, http.headers.get("x-claude-code-agent-id"))
    return Seen(request, dict(http.headers))


@asynccontextmanager
async def scripted_api() -> AsyncIterator[ScriptedApi]:
    """A scripted API on a free port of loopback, in the loop of the test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        api = ScriptedApi(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(
            api.app, lifespan="off", log_config=None, access_log=False, date_header=False,
            timeout_keep_alive=60,  # longer than clients keep them: who closes first may break off a request
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield api
        finally:
            api.release()
            server.should_exit = True
            await serving
