"""Answers of `swarm query` as files: Arrow and Parquet as the hub writes them, and into which file."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Literal

from swarm_api.analytics import QueryFile
from swarm_cli.faults import wrong_usage
from swarm_cli.following import client
from swarm_cli.screen import leave_broken_pipe
from swarm_cli.whole_file import write_whole

Binary = Literal["arrow", "parquet"]


def fetch(url: str | None, sql: str, kind: Binary, limit: int) -> QueryFile:
    """The answer in a format that only programs read. Raises `SwarmError`."""

    async def asked() -> QueryFile:
        async with client(url) as hub:
            return await hub.query_file(kind, sql, limit=limit)

    return asyncio.run(asked())


def put(content: bytes, output: Path | None) -> None:
    """Write it into a file, which is there whole or stays as it was; None: to stdout."""
    if output is None:
        try:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            leave_broken_pipe()
        return
    if output.is_dir() or not output.resolve().parent.is_dir():
        raise wrong_usage(f"-o {output}: no file can be there")
    write_whole(output, content, 0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
