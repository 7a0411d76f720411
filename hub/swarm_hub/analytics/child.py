"""One run of the analytics process, as the hub sees it: requests go in, answers come out, and it can be ended."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, cast

from swarm_api.errors import Unavailable
from swarm_hub.analytics.files import ANSWERS

log = logging.getLogger("swarm_hub.analytics")

PATIENCE = 2.0  # seconds beyond its time, or after it was stopped, that a question may still take
LINE = 64 * 1024 * 1024  # bytes of one answer's line, at most


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the hub's own but what a program needs to run."""
    kept = {name: environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZDIR") if name in environ}
    # Each arena of glibc's reserves 64 MB of the address space, which is limited there.
    return {**kept, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}


class Ended(Exception):
    """The process ended before it answered."""


class Child:
    """Start with `await Child.start(…)`; `ended` returns when it has."""

    def __init__(self, process: asyncio.subprocess.Process, answers: Path) -> None:
        self._process = process
        self._answers = answers
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        # They are there: each was asked for.
        self._input = cast(asyncio.StreamWriter, process.stdin)
        output, errors = cast(asyncio.StreamReader, process.stdout), cast(asyncio.StreamReader, process.stderr)
        self._reading = [asyncio.create_task(self._hear(output)), asyncio.create_task(_log(errors))]

    @classmethod
    async def start(cls, folder: Path, database: Path, time_zone: str) -> "Child":
        """Raises `OSError`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "swarm_hub.analytics.program", str(folder), str(database), time_zone,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=environment(os.environ), cwd=folder, limit=LINE,
        )  # fmt: skip
        return cls(process, folder / ANSWERS)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Its answer to a request that it has so many seconds for. Whoever is cancelled stops it.

        Raises `Ended`, and `Unavailable` when the process had to be ended because it does not stop.
        """
        number = next(self._numbers)
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        self._send({**request, "id": number, "seconds": seconds})
        try:
            async with asyncio.timeout(seconds + PATIENCE):
                return await answered
        except TimeoutError:
            self.kill()
            raise Unavailable("the question could not be stopped: its process was ended", code="query_killed") from None
        except asyncio.CancelledError:
            self._stop(number)
            raise

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def ended(self) -> int:
        """Its exit code, once it has ended; those who wait for answers are told."""
        await asyncio.wait(self._reading)
        code = await self._process.wait()
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(Ended())
        self._waiting.clear()
        return code

    async def aclose(self) -> None:
        self.kill()
        await self.ended()

    def _stop(self, number: int) -> None:
        """Nobody waits for it any more. What does not stop ends with its process."""
        self._send({"stop": number})
        asyncio.get_running_loop().call_later(PATIENCE, self._end_stubborn, number)

    def _end_stubborn(self, number: int) -> None:
        if number in self._waiting:
            self.kill()

    def _send(self, request: Mapping[str, Any]) -> None:
        if not self._input.is_closing():
            self._input.write(json.dumps(request).encode() + b"\n")

    async def _hear(self, output: asyncio.StreamReader) -> None:
        async for line in output:
            said = json.loads(line)
            answered = self._waiting.pop(said.pop("id"))
            if not answered.done():
                answered.set_result(said)
            elif name := said.get("file"):
                (self._answers / name).unlink(missing_ok=True)


async def _log(errors: asyncio.StreamReader) -> None:
    async for line in errors:
        log.warning("%s", line.decode(errors="replace").rstrip())
