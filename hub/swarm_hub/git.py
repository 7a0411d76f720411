"""git as the hub calls it: a program with a list of arguments, reading only, and nothing of the repository runs."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

SAFE = (
    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false",
    "-c", "protocol.ext.allow=never",
)  # fmt: skip
LIMIT = 60.0  # seconds one call may take


class GitFailed(Exception):
    """git said no. Its text is the last line of what it said."""


async def git(folder: Path, arguments: Sequence[str]) -> bytes:
    """What git prints. Raises `GitFailed`, also when it takes longer than a minute."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    process = await asyncio.create_subprocess_exec(
        "git", *SAFE, "-C", str(folder), *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**environment, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT):
            out, complaint = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.kill()
        raise
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise GitFailed(lines[-1] if lines else f"git ended with {process.returncode}")
    return out
