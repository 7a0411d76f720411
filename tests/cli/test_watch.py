"""`swarm watch`: a live table on a terminal, a line for each event in a pipe."""

import json
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.program import LIMIT, Swarm
from hubs import HubProcess


@pytest.fixture
def watched(swarm: Swarm) -> Iterator[Callable[..., str]]:
    """The first line that `swarm watch` writes. It follows from a moment that only an event shows, so work is handed
    out until one is seen."""
    watching = []

    def first_line(*flags: str) -> str:
        process = swarm.start("watch", *flags)
        watching.append(process)
        assert process.stdout is not None
        with ThreadPoolExecutor(1) as reader:
            line = reader.submit(process.stdout.readline)
            while not line.done():
                swarm("submit", "-p", "Work", "--hold")
            return line.result()

    yield first_line
    for process in watching:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 130


def test_a_pipe_gets_a_line_for_each_event(watched: Callable[..., str]) -> None:
    when, kind, task_id, said = watched().split("\t")
    assert (when[-1], kind, task_id[:4], said) == ("Z", "task_created", "tsk_", "code · sonnet\n")


def test_json_is_the_journals_own_a_line_each(watched: Callable[..., str]) -> None:
    event = json.loads(watched("--json"))
    assert (event["type"], set(event)) == ("task_created", {"seq", "type", "payload", "timestamp"})


def test_keys_do_not_show_while_it_draws_and_do_afterwards(swarm: Swarm) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [swarm.program, "watch"], stdin=theirs, stdout=theirs, stderr=theirs, env=swarm.environ, start_new_session=True
    )
    seen = b""
    while b"ctrl-C ends" not in seen:
        seen += os.read(ours, 65_536)
    assert not echoes(theirs)
    process.send_signal(signal.SIGTERM)
    with ThreadPoolExecutor(1) as reader:  # what it still draws must find room
        rest = reader.submit(os.read, ours, 65_536)
        assert process.wait(LIMIT) == 130
        rest.result()
    assert echoes(theirs)
    os.close(ours)
    os.close(theirs)


def echoes(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def test_a_terminal_gets_a_table_that_changes(tmp_path: Path, hub: HubProcess) -> None:
    swarm = Swarm(tmp_path, SWARM_URL=hub.url)
    task_id = swarm("submit", "-p", "Watched work", "--hold").stdout.strip()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [swarm.program, "watch"], stdin=theirs, stdout=theirs, stderr=theirs, env=swarm.environ, start_new_session=True
    )
    os.close(theirs)
    seen = b""
    while b"Watched work" not in seen:
        seen += os.read(ours, 65_536)
    swarm("cancel", task_id)
    while b"cancelled" not in seen:
        seen += os.read(ours, 65_536)
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT) == 130
    os.close(ours)
