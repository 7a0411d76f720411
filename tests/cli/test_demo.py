"""`swarm demo`: from nothing to branches, and nothing is left of it."""

import signal
from pathlib import Path

import psutil
import pytest

from cli.program import LIMIT, Swarm


def left(folder: Path) -> list[str]:
    """What still runs with its data below a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(folder) in process.environ().get("SWARM_DATA_DIR", "") + process.cwd():
                found.append(process.name())
        except psutil.Error:
            continue
    return found


def test_five_tasks_become_five_branches(lonely: Swarm) -> None:
    run = lonely("demo", TMPDIR=str(lonely.folder))
    events = [line.split("\t")[1] for line in run.stdout.splitlines() if "\ttsk_" in line]
    branches = [line for line in run.stdout.splitlines() if line.startswith("  swarm/")]
    assert run.returncode == 0, run.stderr
    assert events.count("task_completed") == 5
    assert len(branches) == 5
    assert run.stdout.count(" 2 files +") == 5


def test_nothing_is_left_of_it(lonely: Swarm) -> None:
    before = set(lonely.folder.iterdir())
    assert lonely("demo", TMPDIR=str(lonely.folder)).returncode == 0
    assert set(lonely.folder.iterdir()) == before
    assert left(lonely.folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_before_its_time_leaves_nothing_either(lonely: Swarm, number: signal.Signals) -> None:
    before = set(lonely.folder.iterdir())
    demo = lonely.start("demo", TMPDIR=str(lonely.folder))
    assert demo.stdout is not None
    while "task_started" not in demo.stdout.readline():
        assert demo.poll() is None
    demo.send_signal(number)
    demo.communicate(timeout=LIMIT)
    assert demo.returncode == 130
    assert set(lonely.folder.iterdir()) == before
    assert left(lonely.folder) == []


def test_it_uses_no_setting_of_the_callers(lonely: Swarm) -> None:
    mine = lonely.folder / "mine"
    settings = {
        "SWARM_DATA_DIR": str(mine),
        "SWARM_URL": "http://127.0.0.1:9",
        "PORT": "1",
        "FLY_API_TOKEN": "a-secret",
    }
    run = lonely("demo", "--keep", TMPDIR=str(lonely.folder), GIT_DIR="/nowhere", **settings)
    assert run.returncode == 0, run.stderr
    assert not mine.exists()


def test_it_can_be_kept(lonely: Swarm) -> None:
    run = lonely("demo", "--keep", TMPDIR=str(lonely.folder))
    (kept,) = lonely.folder.glob("claude-swarm-demo-*")
    assert run.stdout.endswith(f"Kept: {kept}\n")
    assert {"shop", "data"} <= {path.name for path in kept.iterdir()}
