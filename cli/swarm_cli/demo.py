"""`swarm demo`: five simulated tasks on a sample repository, from nothing to branches, and nothing left behind."""

import asyncio
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from swarm_api.access import access
from swarm_api.client import HubClient
from swarm_api.config import Running
from swarm_api.errors import SwarmError
from swarm_api.source import Source
from swarm_api.words import FINISHED
from swarm_cli import local_hub, sample
from swarm_cli.board import Board
from swarm_cli.diff import stat_lines
from swarm_cli.faults import DONE, FAILED, Fault
from swarm_cli.screen import Screen, write
from swarm_cli.waiting import follow_board

_END_SECONDS = 15.0
_LOOK_AGAIN = 0.02
_INHERITED = ("PATH", "LANG", "LC_ALL", "TERM", "TZ")


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the folder with repository and hub's data.")] = False,
) -> None:
    """Five simulated tasks on a sample repository, from nothing to branches. No key, no model, nothing left behind."""
    for end in (signal.SIGTERM, signal.SIGHUP):  # a window that is closed leaves nothing behind either
        signal.signal(end, lambda *_: signal.raise_signal(signal.SIGINT))
    screen = Screen.of(sys.stdout, os.environ)
    with _folder(keep, screen) as folder:
        code = _show(folder, screen)
    raise typer.Exit(code)


@contextmanager
def _folder(keep: bool, screen: Screen) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="claude-swarm-demo-")).resolve()
    try:
        yield folder
    finally:
        if keep:
            write(f"\nKept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
            write(
                screen.paint("dim", "\nThe hub has stopped, no agent runs, the folder is removed (--keep leaves it).")
            )


def _show(folder: Path, screen: Screen) -> int:
    environ, repository = _environment(folder), folder / "shop"
    sample.make_repository(repository, environ)
    write(screen.paint("bold", "Five simulated agents, side by side on one repository. No model is called."))
    hub = local_hub.start(environ)
    write(screen.paint("dim", f"hub {hub.url} · repository {repository}") + "\n")
    try:
        code = asyncio.run(_work(access(hub.url, environ), hub, repository, screen))
        _show_branches(repository, environ, screen)
    finally:
        local_hub.stop(hub)
        _wait_for_workers(folder)
    return code


def _environment(folder: Path) -> dict[str, str]:
    """All the hub and git get: nothing of the caller's but where programs are and how to speak."""
    (folder / "home").mkdir()
    author = {"GIT_AUTHOR_NAME": "Demo", "GIT_AUTHOR_EMAIL": "demo@example.com"}
    committer = {"GIT_COMMITTER_NAME": "Demo", "GIT_COMMITTER_EMAIL": "demo@example.com"}
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        **author,
        **committer,
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(folder / "home"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",  # the hub's first key is no keepsake
        "SWARM_DATA_DIR": str(folder / "data"),
        "SWARM_REPO_ROOTS": str(folder),
        "SIMULATE_MODE": "true",
        "PORT": "0",
        "LOG_LEVEL": "warning",
    }


async def _work(token: Source, hub: Running, repository: Path, screen: Screen) -> int:
    async with HubClient(hub.url, token) as client:
        try:
            tasks = await client.submit_batch(sample.tasks(repository))
            await follow_board(client, Board(tasks, tasks[0].seq - 1), screen)
            ended = [await client.task(task.id) for task in tasks]
            write(screen.paint("bold", "\nWhat changed"))
            for task in ended:
                write(f"{screen.paint('cyan', task.name or task.id)}")
                for line in stat_lines(await client.diff_files(task.id), screen):
                    write(f" {line}")
        except BaseException:
            await _give_up(client)
            raise
    return DONE if all(task.status == "completed" for task in ended) else FAILED


async def _give_up(client: HubClient) -> None:
    """Cancel what is left and wait until no agent works: workers would outlive the hub."""
    try:
        async for task in client.all_tasks():
            if task.status not in FINISHED:
                await client.cancel(task.id)
        async for task in client.all_tasks():
            await client.wait(task.id)
    except SwarmError:
        return


def _wait_for_workers(folder: Path) -> None:
    """Every worker holds the lock of its folder for as long as it lives."""
    deadline = time.monotonic() + _END_SECONDS
    for lock in folder.glob("data/agents/*/lock"):
        with lock.open() as file:
            while not _free(file.fileno()):
                if time.monotonic() > deadline:
                    raise Fault(f"a worker has not ended: {lock.parent}")
                time.sleep(_LOOK_AGAIN)


def _free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _show_branches(repository: Path, environ: Mapping[str, str], screen: Screen) -> None:
    write(screen.paint("bold", "\nThe branches"))
    colour = f"--color={'always' if screen.colour else 'never'}"
    for line in sample.git(repository, environ, "branch", "--verbose", "--abbrev=9", colour).splitlines():
        write(line)
