"""`swarm watch`: a live table on a terminal, a line for each event in a pipe."""

import json
import os
import pty
import signal
import subprocess

import pytest

from cli.program import LIMIT, Swarm


@pytest.mark.parametrize("as_json", [True, False])
def test_a_pipe_gets_a_line_for_each_event(swarm: Swarm, as_json: bool) -> None:
    watching = swarm.start("watch", *(["--json"] if as_json else []))
    assert watching.stdout is not None
    # It follows from some moment on, which only an event shows: hand out tasks until one is seen.
    os.set_blocking(watching.stdout.fileno(), False)
    line = ""
    while not line:
        assert watching.poll() is None
        task_id = swarm("submit", "-p", "Work", "--hold").stdout.strip()
        line = watching.stdout.readline()
    if as_json:
        event = json.loads(line)
        assert (event["type"], set(event)) == ("task_created", {"seq", "type", "payload", "timestamp"})
    else:
        assert line.split("\t")[1] == "task_created"
        assert line.split("\t")[2].startswith("tsk_")
    assert task_id
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=LIMIT)
    assert watching.returncode == 130


def test_a_terminal_gets_a_table_that_changes(swarm: Swarm) -> None:
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
