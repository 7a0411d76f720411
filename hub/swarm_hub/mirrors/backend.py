"""git's own http-backend, run for one request: no shell, hooks off, both ways streamed in bounded memory."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from swarm_hub.leaving import left, unless_left
from swarm_hub.mirrors.abroad import configured

LARGEST_PUSH = 2 * 1024**3  # bytes of a pack
CHUNK = 65_536
LENIENT = ("missingSpaceBeforeDate", "missingSpaceBeforeEmail", "zeroPaddedFilemode", "badTimezone", "badDate",
           "badDateOverflow", "missingEmail", "badEmail", "emptyName")  # fmt: skip
"""Harmless faults that old repositories have; all else that git's own check finds is refused."""
SAFE = (
    ("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"), ("gc.auto", "0"), ("receive.autogc", "false"),
    ("receive.denyDeletes", "true"), ("receive.denyCurrentBranch", "updateInstead"),
    ("receive.maxInputSize", str(LARGEST_PUSH)), ("receive.fsckObjects", "true"), ("receive.keepAlive", "5"),
    ("core.logAllRefUpdates", "always"),  # what a push overwrites can be found again
    ("core.bigFileThreshold", "16m"), ("pack.windowMemory", "64m"), ("pack.threads", "1"), ("index.threads", "1"),
    ("uploadpack.allowFilter", "true"), ("uploadpack.allowAnySHA1InWant", "true"), ("safe.directory", "*"),
    *((f"receive.fsck.{name}", "ignore") for name in LENIENT),
)  # fmt: skip


@dataclass(frozen=True)
class Served:
    """A repository as one caller sees it: `shown` are its refs, or all when there are none; `pushes`: it takes some."""

    path: Path
    shown: Sequence[str] = ()
    pushes: bool = False

    def environment(self) -> dict[str, str]:
        hidden = [("transfer.hideRefs", "refs/"), *(("transfer.hideRefs", f"!{ref}") for ref in self.shown)]
        own = (("http.receivepack", "true" if self.pushes else "false"), ("http.getanyfile", "false"))
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_PROJECT_ROOT": str(self.path.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
            **configured(*SAFE, *own, *(hidden if self.shown else [])),
        }


class Backend(Response):
    """The answer of git's http-backend to a request whose body is `sent` and then what still comes."""

    def __init__(self, served: Served, service: str, sent: AsyncIterator[bytes], room: asyncio.Semaphore) -> None:
        super().__init__()
        self._room = room
        self._served = served
        self._service = service
        self._sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._room:
            await self._run(scope, receive, send)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend", stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={**self._served.environment(), **self._request(scope)}, start_new_session=True,
        )  # fmt: skip
        feeding = asyncio.create_task(_feed(process, self._sent))
        try:
            await unless_left(_answer(process, send), _left(feeding, receive))
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await _end(process)

    def _request(self, scope: Scope) -> dict[str, str]:
        """As RFC 3875 has it for what is run for a request."""
        head = {name: value.decode("latin-1") for name, value in scope["headers"]}
        told = {
            "REQUEST_METHOD": scope["method"],
            "PATH_INFO": f"/{self._served.path.name}/{self._service}",
            "QUERY_STRING": scope["query_string"].decode("latin-1"),
            "CONTENT_TYPE": head.get(b"content-type", ""),
            "HTTP_CONTENT_ENCODING": head.get(b"content-encoding", ""),
            "REMOTE_USER": "swarm",
        }
        protocol = head.get(b"git-protocol", "")
        return {**told, "GIT_PROTOCOL": protocol} if protocol in ("version=1", "version=2") else told


async def _feed(process: Process, sent: AsyncIterator[bytes]) -> None:
    if process.stdin is None:
        return
    try:
        async for chunk in sent:
            process.stdin.write(chunk)
            await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has heard enough, and says why
    finally:
        process.stdin.close()


async def _left(feeding: asyncio.Task[None], receive: Receive) -> None:
    """Returns when nobody waits for the answer any more."""
    await asyncio.wait({feeding})
    await left(receive)


async def _answer(process: Process, send: Send) -> None:
    if process.stdout is None:
        return
    status, headers = await _head(process.stdout)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while chunk := await process.stdout.read(CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})


async def _head(out: asyncio.StreamReader) -> tuple[int, list[tuple[bytes, bytes]]]:
    status, headers = 200, []
    while line := (await out.readline()).rstrip(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"status":
            status = int(value.split()[0])
        else:
            headers.append((name.lower(), value.strip()))
    if not headers:
        return 500, []
    return status, headers


async def _end(process: Process) -> None:
    """With the programs it has started itself."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
