"""What other processes of the same user, agents among them, can learn of a running hub: nothing it was given."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from hubs import PROGRAMS, HubProcess

KEY, SECRET, FIRST = "sk-ant-api03-" + "k" * 40, "j" * 40, f"sk_swarm_{'a' * 8}_{'b' * 32}"
GIVEN = {"ANTHROPIC_API_KEY": KEY, "JWT_SECRET": SECRET, "SWARM_BOOTSTRAP_KEY": FIRST}
# Root reads everything, so as root both sides go without its capabilities: the same as an ordinary user.
ORDINARY = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
READ = "import sys; print(len(open(f'/proc/{sys.argv[1]}/{sys.argv[2]}', 'rb').read(10)))"

pytestmark = pytest.mark.skipif(sys.platform != "linux" or not shutil.which("setpriv"), reason="of Linux alone")


class Sealed(NamedTuple):
    pid: int
    environment: Mapping[str, str]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    """A hub that serves."""
    environment = HubProcess(tmp_path_factory.mktemp("sealed"), **GIVEN).environment
    with subprocess.Popen([*ORDINARY, PROGRAMS / "swarm-hub"], env=environment, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            while b" on http" not in (line := process.stderr.readline()):
                assert line, "the hub has ended"
            yield Sealed(process.pid, environment)
        finally:
            process.terminate()
            process.communicate()


@pytest.fixture
def other() -> Iterator[int]:
    """A process that hides nothing, and is what it will be: it has answered."""
    with subprocess.Popen([*ORDINARY, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"there\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"there\n"
        yield process.pid


def reading(pid: int, name: str) -> str:
    """The last line that somebody says who reads a file of a process: how much there is, or what went wrong."""
    program = [*ORDINARY, sys.executable, "-c", READ, str(pid), name]
    run = subprocess.run(program, capture_output=True, text=True, check=False)
    return (run.stdout or run.stderr).splitlines()[-1]


def test_the_same_user_reads_neither_its_environment_nor_its_memory(hub: Sealed, other: int) -> None:
    assert reading(other, "environ") == "10"
    for name in ("environ", "mem", "maps"):
        assert "PermissionError" in reading(hub.pid, name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look")
def test_what_it_was_given_is_gone_from_its_environment_for_root_too(hub: Sealed) -> None:
    environ = Path(f"/proc/{hub.pid}/environ").read_bytes()
    assert b"SWARM_DATA_DIR=" in environ
    assert [value for value in GIVEN.values() if value.encode() in environ] == []


def test_it_and_what_it_starts_leave_no_core_file(hub: Sealed) -> None:
    assert psutil.Process(hub.pid).rlimit(resource.RLIMIT_CORE) == (0, 0)


def test_the_command_line_of_the_same_user_still_finds_it(hub: Sealed) -> None:
    program = [*ORDINARY, PROGRAMS / "swarm", "orchestrator", "status"]
    run = subprocess.run(program, env=hub.environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert str(hub.pid) in run.stdout
