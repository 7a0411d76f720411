"""git as the hub calls it: a program with a list of arguments, reading only, and nothing of the repository runs."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

SAFE = (
    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false",
    "-c", "protocol.ext.allow=never",
)  # fmt: skip
PASSED = ("PATH", "HOME", "XDG_CONFIG_HOME")  # where git and the user's configuration are; all else may be a secret
FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    # A repository can say that what it lacks is to be fetched, and which program fetches it: rev-parse would run that.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # older versions of git don't know the variable above
    # It can also name other commits to show in the place of those that the branch holds.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C.UTF-8",
}
LIMIT = 60.0  # seconds one call may take
MOST = 32 * 1024 * 1024  # bytes it may print; they are held in memory
CHUNK = 65_536


class GitFailed(Exception):
    """git said no. Its text is the last line of what it said."""


class TooMuch(GitFailed):
    """git has more to print than is wanted here."""


async def git(
    folder: Path, arguments: Sequence[str], variables: Mapping[str, str] | None = None, limit: float = LIMIT
) -> bytes:
    """What git prints. `variables` count more than what is set here.

    Raises `GitFailed`, also when it takes longer than `limit` seconds, and `TooMuch`.
    """
    inherited = {name: os.environ[name] for name in PASSED if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        "git", *SAFE, "-C", str(folder), *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE, env=inherited | FIXED | dict(variables or {}),
        start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limit):
            out, complaint = await _communicate(process)
    except TimeoutError as error:
        raise GitFailed(f"git did not answer within {limit:g} seconds") from error
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # with what it has started itself: ssh, or a helper
            await process.wait()
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise GitFailed(_gist(lines) or f"git ended with {process.returncode}")
    return out


def _gist(lines: Sequence[str]) -> str:
    """The line that says why: git's last words are often advice."""
    found = [line for line in lines if line.startswith(("fatal:", "error:", "! "))]
    return (found or list(lines) or [""])[-1]


async def _communicate(process: Process) -> tuple[bytes, bytes]:
    complaint = asyncio.create_task(_read(process.stderr))
    try:
        out = await _read(process.stdout)
        await process.wait()
        return out, await complaint
    finally:
        complaint.cancel()


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    if stream is None:
        return b""
    read = bytearray()
    while chunk := await stream.read(CHUNK):
        read += chunk
        if len(read) > MOST:
            raise TooMuch(f"what git prints is over {MOST:,} bytes")
    return bytes(read)
