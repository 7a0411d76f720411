"""Nothing an agent started outlives its worker, wherever it went."""

import asyncio
import os
import signal

import psutil
import pytest

from executors.conformance import HUB, launch
from executors.local_place import LocalPlace, processes_of
from executors.waiting import until_ended
from swarm_api import ids
from swarm_executors.protocol import Handle, Launch
from waiting import until

AGENT = ids.new_agent_id("local")
LAUNCH = Launch(AGENT, HUB, hub_url="http://127.0.0.1:3999", token="a-token", tier="light")

DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path("stray").write_text(str(os.getpid()))
    while True:
        signal.pause()
os.wait()
"""
IN_A_SESSION = """
stray = subprocess.Popen(["sleep", "600"], start_new_session=True)
Path("stray").write_text(str(stray.pid))
"""
WITHOUT_ENVIRONMENT = """
stray = subprocess.Popen(["sleep", "600"], start_new_session=True, env={})
Path("stray").write_text(str(stray.pid))
"""
GRANDCHILD_WITHOUT_ENVIRONMENT = """
subprocess.Popen(["sh", "-c", "env -i sleep 600 & echo $! > stray; wait"], start_new_session=True)
"""
STRAYS = [DAEMON, IN_A_SESSION, WITHOUT_ENVIRONMENT, GRANDCHILD_WITHOUT_ENVIRONMENT]
NAMES = ["daemon", "session", "without-environment", "grandchild-without-environment"]

# A tree that forks all the time shows by its pulse that it lives, since whoever looks for a process finds it gone.
# It ends by itself at some time, in case that nothing else can end it.
FORKING = """
import time
end = time.monotonic() + 30
pulse = os.open("pulse", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def beats():
    os.write(pulse, b".")
    return time.monotonic() < end

def hop():
    while beats() and os.fork() == 0:
        pass

def rise_again():
    while beats():
        read, write = os.pipe()
        if os.fork() == 0:
            os.close(write)
            os.read(read, 1)
            continue
        os.close(read)
        os.wait()
        os.close(write)

def multiply():
    for _ in range(5):
        os.fork()
    while beats():
        if os.fork() == 0:
            os._exit(0)
        os.wait()

if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    NAME()
    os._exit(0)
"""


async def stray_of(local: LocalPlace, handle: Handle) -> psutil.Process:
    """What the worker started, once both are there."""
    await local.is_ready(handle)
    number = local.folder(handle["agentId"]) / "stray"
    await until(lambda: number.exists() and number.read_text())
    return psutil.Process(int(number.read_text()))


def pulse_of(local: LocalPlace) -> int:
    pulse = local.folder(AGENT) / "pulse"
    return pulse.stat().st_size if pulse.exists() else 0


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("program", STRAYS, ids=NAMES)
async def test_stopping_a_worker_ends_what_it_started(local: LocalPlace, program: str) -> None:
    executor = local.running(program)
    handle = await executor.start(LAUNCH)
    stray = await stray_of(local, handle)
    await executor.stop(handle, grace=20)
    assert local.has_saved(AGENT)
    assert has_ended(stray)


@pytest.mark.parametrize("program", STRAYS, ids=NAMES)
async def test_killing_a_stubborn_worker_ends_what_it_started(local: LocalPlace, program: str) -> None:
    executor = local.running(program + "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    handle = await executor.start(LAUNCH)
    stray = await stray_of(local, handle)
    await executor.stop(handle, grace=0)
    assert has_ended(stray)


@pytest.mark.parametrize("program", [DAEMON, IN_A_SESSION], ids=["daemon", "session"])
async def test_what_a_killed_worker_started_is_ended_before_anybody_hears_of_it(
    local: LocalPlace, program: str
) -> None:
    executor = local.running(program)
    handle = await executor.start(LAUNCH)
    stray = await stray_of(local, handle)
    os.kill(handle["pid"], signal.SIGKILL)
    await until_ended(executor, handle)
    assert has_ended(stray)


async def test_what_a_killed_worker_started_is_ended_when_nobody_asks(local: LocalPlace) -> None:
    handle = await local.running(DAEMON).start(LAUNCH)
    stray = await stray_of(local, handle)
    os.kill(handle["pid"], signal.SIGKILL)
    await until(lambda: has_ended(stray))


async def test_the_next_hub_ends_what_a_worker_left_that_died_in_between(local: LocalPlace) -> None:
    before = local.running(DAEMON)
    handle = await before.start(LAUNCH)
    stray = await stray_of(local, handle)
    await before.aclose()
    os.kill(handle["pid"], signal.SIGKILL)
    after = local.executor()
    await until_ended(after, handle)
    assert has_ended(stray)


async def test_a_frozen_worker_still_saves_its_work(local: LocalPlace) -> None:
    executor = local.executor()
    handle = await executor.start(LAUNCH)
    await local.is_ready(handle)
    os.kill(handle["pid"], signal.SIGSTOP)
    assert (await executor.poll(handle)).state == "alive"
    await executor.stop(handle, grace=20)
    assert local.has_saved(AGENT)


async def test_a_frozen_tree_is_killed(local: LocalPlace) -> None:
    executor = local.stubborn()
    handle = await executor.start(LAUNCH)
    await local.is_ready(handle)
    for process in processes_of(AGENT):
        process.suspend()
    await executor.stop(handle, grace=0.1)
    assert not local.is_running(AGENT)


@pytest.mark.parametrize("name", ["hop", "rise_again", "multiply"])
async def test_a_tree_that_forks_while_it_is_killed_ends(local: LocalPlace, name: str) -> None:
    executor = local.running(FORKING.replace("NAME", name))
    handle = await executor.start(LAUNCH)
    await local.is_ready(handle)
    await until(lambda: pulse_of(local) > 0)
    await executor.stop(handle, grace=20)
    last = pulse_of(local)
    with pytest.raises(TimeoutError):
        await until(lambda: pulse_of(local) > last or local.is_running(AGENT), seconds=0.3)


async def test_other_agents_are_left_alone(local: LocalPlace) -> None:
    executor = local.running(DAEMON)
    one, other = [await executor.start(launch(executor)) for _ in range(2)]
    stray, _ = await asyncio.gather(stray_of(local, other), stray_of(local, one))
    await executor.stop(one, grace=20)
    assert (await executor.poll(other)).state == "alive"
    assert not has_ended(stray)
