"""The guard, with real processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from swarm_worker import guard
from worker.waiting import has_ended, is_whole_line, wait_until

SCRIPT = guard.__file__

PARENT = """
import subprocess, sys
from swarm_worker.guard import guarded
child = subprocess.Popen(guarded("sleep", "600"), start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_command_dies_with_its_worker(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(number)
        wait_until(lambda: has_ended(child), seconds=5)


def test_a_worker_that_is_gone_already_starts_nothing(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    command = [sys.executable, "-I", "-S", SCRIPT, str(gone.pid), "touch", str(tmp_path / "mark")]
    assert subprocess.run(command).returncode == 128 + signal.SIGTERM
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", -signal.SIGKILL)])
def test_the_commands_end_is_passed_on(script: str, code: int) -> None:
    assert subprocess.run(guard.guarded("sh", "-c", script)).returncode == code


def test_a_command_that_is_not_there_is_said_to_be() -> None:
    run = subprocess.run(guard.guarded("no-such-command"), capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (127, "no-such-command: No such file or directory\n")


def test_without_a_parents_number_it_is_whoever_started_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-I", "-S", SCRIPT, "touch", str(tmp_path / "mark")], check=True)
    assert (tmp_path / "mark").exists()


def test_arguments_and_standard_input_reach_the_command(tmp_path: Path) -> None:
    run = subprocess.run(guard.guarded("sh", "-c", 'cat; echo "$1"', "sh", "a  b"), input=b"in ", capture_output=True)
    assert run.stdout == b"in a  b\n"


def test_nothing_of_the_folder_it_runs_in_is_imported(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("open('imported', 'w')\n")
    (tmp_path / "os.py").write_text("open('imported', 'w')\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run(guard.guarded("sh", "-c", "echo ran > ran"), cwd=tmp_path, env=env, check=True)
    assert is_whole_line(tmp_path / "ran")
    assert not (tmp_path / "imported").exists()
