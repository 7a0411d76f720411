"""Real worker processes, started as an executor starts them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.played import PlayedHub

PROGRAM = Path(sys.executable).with_name("swarm-worker")


@contextmanager
def worker_process(
    folder: Path, url: str, agent_id: str, token: str, **variables: str
) -> Iterator["subprocess.Popen[str]"]:
    """A worker whose token comes through a descriptor. At the end it is gone."""
    read, write = os.pipe()
    os.write(write, token.encode())
    os.close(write)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONSAFEPATH": "1",
        "SWARM_AGENT": agent_id,
        "SWARM_AGENT_ID": agent_id,
        "SWARM_HUB_URL": url,
        "SWARM_WORKER_TOKEN_FD": str(read),
        **variables,
    }
    try:
        process = subprocess.Popen(
            [PROGRAM], cwd=folder, env=environment, pass_fds=[read], stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True, text=True,
        )  # fmt: skip
    finally:
        os.close(read)
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def carried(hub: PlayedHub, agent_id: str, url: str | None = None) -> Iterator["subprocess.Popen[str]"]:
    """The worker of an agent that the hub has started, at the hub's address or another that leads there."""
    token = hub.token(agent_id)
    with worker_process(hub.parts.settings.data_dir.parent, url or hub.url, agent_id, token) as process:
        yield process
