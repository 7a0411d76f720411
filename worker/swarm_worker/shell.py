"""A shell command of a task's, with its output as lines while it runs."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from swarm_worker.processes import end_group
from swarm_worker.runtimes import Place
from swarm_worker.text import LineSplitter

MERCY = 1.0
"""Seconds a command has to end when it is told to."""
LAST_WORDS = 0.2
"""Seconds in which output still comes after the command has ended; what it left running may hold its pipes for ever."""
CHUNK = 65_536

Output = Literal["stdout", "stderr"]
Hear = Callable[[Output, str], Awaitable[None]]


async def run_shell(command: str, place: Place, hear: Hear) -> int:
    """Run `command` in the place, in a session of its own; the exit code. Ended with its group when this is cancelled.

    To be called from the main thread, with whose end the command ends too.
    """
    streams: Sequence[Output] = ("stdout", "stderr")
    # Pipes of our own: asyncio's would have us wait until everyone who inherited them has ended.
    pipes = {stream: os.pipe() for stream in streams}
    try:
        process = await asyncio.create_subprocess_exec(
            *place.command("sh", "-c", command),
            cwd=place.workdir,
            env=place.env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipes["stdout"][1],
            stderr=pipes["stderr"][1],
            start_new_session=True,
        )
    finally:
        for _, write in pipes.values():
            os.close(write)
    pumps = [asyncio.create_task(_pump(pipes[stream][0], stream, hear)) for stream in streams]
    try:
        return await _wait(process, pumps)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.wait(pumps)


async def _wait(process: asyncio.subprocess.Process, pumps: Sequence[asyncio.Task[None]]) -> int:
    try:
        code = await process.wait()
        await asyncio.wait(pumps, timeout=LAST_WORDS)
        return code
    finally:
        if process.returncode is None:
            await end_group(process, MERCY)


async def _pump(fd: int, stream: Output, hear: Hear) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", 0))
    lines = LineSplitter()
    try:
        while chunk := await reader.read(CHUNK):
            for line in lines.feed(chunk):
                await hear(stream, line)
    finally:
        transport.close()
        for line in lines.end():
            await hear(stream, line)
