"""Shell commands, with real processes."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from swarm_worker.processes import end_group
from swarm_worker.runtimes import Place
from swarm_worker.shell import run_shell
from worker.waiting import has_ended, is_whole_line, until


class Heard:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    async def __call__(self, stream: str, line: str) -> None:
        self.lines.append((stream, line))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, tmp_path, tmp_path, {"PATH": os.environ["PATH"], "WHO": "the agent"}, tmp_path)


async def test_both_outputs_come_as_lines(place: Place) -> None:
    heard = Heard()
    code = await run_shell('echo one; echo two >&2; printf three; echo "$WHO" > who; exit 3', place, heard)
    assert code == 3
    assert sorted(heard.lines) == [("stderr", "two"), ("stdout", "one"), ("stdout", "three")]
    assert (place.workdir / "who").read_text() == "the agent\n"


async def test_lines_come_while_the_command_runs(place: Place) -> None:
    seen = asyncio.Event()

    async def hear(_stream: str, line: str) -> None:
        assert line == "first"
        (place.workdir / "heard").touch()
        seen.set()

    await run_shell("echo first; while [ ! -e heard ]; do sleep 0.01; done", place, hear)
    assert seen.is_set()


async def test_what_a_command_leaves_running_does_not_hold_it_up(place: Place) -> None:
    heard = Heard()
    async with asyncio.timeout(5):
        assert await run_shell("sleep 600 & echo $! > pid; echo started", place, heard) == 0
    assert heard.lines == [("stdout", "started")]
    os.kill(int((place.workdir / "pid").read_text()), 9)


@pytest.mark.parametrize("nature", ["", "trap '' TERM;"])
async def test_a_command_that_is_broken_off_ends_with_all_it_started(place: Place, nature: str) -> None:
    command = f"{nature} sleep 600 & echo $! > pid; {nature} sleep 600; echo never > never"
    running = asyncio.create_task(run_shell(command, place, Heard()))
    await until(lambda: is_whole_line(place.workdir / "pid"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: has_ended(int((place.workdir / "pid").read_text())), 5)
    assert not (place.workdir / "never").exists()


async def test_it_has_no_terminal_and_nothing_to_read(place: Place) -> None:
    heard = Heard()
    await run_shell("cat; (: < /dev/tty) 2>/dev/null || echo none", place, heard)
    assert heard.lines == [("stdout", "none")]


async def test_who_is_cancelled_again_while_it_kills_still_waits_for_the_end(place: Place) -> None:
    """Else asyncio warns, later and at somebody else, of a process that nobody waited for."""
    process = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    os.kill(process.pid, signal.SIGSTOP)  # it hears nothing but SIGKILL
    ending = asyncio.create_task(end_group(process, 600))
    for _ in range(3):
        await asyncio.sleep(0)
        ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert process.returncode == -signal.SIGKILL
