"""Which process is an agent's worker: its lock, its number and its start agree, or it is not touched."""

import os
import resource
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from executors.conformance import HUB, launch
from executors.local_place import LocalPlace
from executors.waiting import until_ended
from swarm_api import ids
from swarm_executors import processes
from swarm_executors.folder import AgentFolder, take
from swarm_executors.protocol import ExecutorError, Launch

AGENT = ids.new_agent_id("local")
LAUNCH = Launch(AGENT, HUB, hub_url="http://127.0.0.1:3999", token="a-token", tier="light")


@contextmanager
def stranger() -> Iterator[psutil.Popen]:
    """A process that is nobody's worker."""
    with psutil.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True) as process:
        yield process
        assert process.poll() is None, "it was not touched"
        process.kill()


async def test_a_later_owner_of_the_number_is_not_the_worker(local: LocalPlace) -> None:
    executor = local.executor()
    handle = await executor.start(LAUNCH)
    await executor.stop(handle, grace=5)
    with stranger() as process:
        reused = handle | {"pid": process.pid}
        await executor.stop(reused, grace=1)
        assert (await executor.poll(reused)).state != "alive"


async def test_number_and_start_alone_do_not_make_a_worker(local: LocalPlace) -> None:
    """After the machine was started anew both may come again, and the lock is free."""
    executor = local.executor()
    await executor.stop(await executor.start(LAUNCH), grace=5)
    with stranger() as process:
        same = {"agentId": AGENT, "pid": process.pid, "startTime": processes.start_time(psutil.Process(process.pid))}
        await executor.stop(same, grace=1)
        assert (await executor.poll(same)).state != "alive"


async def test_a_handle_with_another_start_time_ends_nobody(local: LocalPlace) -> None:
    executor = local.executor()
    handle = await executor.start(LAUNCH)
    wrong = handle | {"startTime": handle["startTime"] - 1}
    await executor.stop(wrong, grace=1)
    assert (await executor.poll(wrong)).state == "lost"
    assert (await executor.poll(handle)).state == "alive"


async def test_a_name_in_a_lock_that_a_stranger_has_now_is_not_adopted(local: LocalPlace) -> None:
    """A child of the worker keeps the lock, the worker has died, and its number has a new owner."""
    folder = AgentFolder(local.folder(AGENT))
    folder.make()
    folder.write_hub(HUB)
    executor = local.executor()
    with stranger() as process, folder.lock() as lock:
        assert take(lock)
        os.write(lock, str(process.pid).encode())
        handle = await executor.start(LAUNCH)
        await executor.stop(handle, grace=1)
        assert await executor.list(HUB) == []


async def test_a_hub_that_died_before_it_wrote_the_name_finds_its_worker(local: LocalPlace) -> None:
    before = local.executor()
    handle = await before.start(LAUNCH)
    await local.is_ready(handle)
    await before.aclose()
    (local.folder(AGENT) / "lock").write_text("")
    after = local.executor()
    assert await after.list(HUB) == [handle]
    assert await after.start(LAUNCH) == handle


async def test_what_the_worker_wrote_into_the_lock_is_understood(local: LocalPlace) -> None:
    writes = "os.ftruncate(lock := int(os.environ['SWARM_LOCK_FD']), 0); os.pwrite(lock, b'%d' % os.getpid(), 0)"
    before = local.running(writes)
    handle = await before.start(LAUNCH)
    await local.is_ready(handle)
    await before.aclose()
    assert await local.executor().start(LAUNCH) == handle


async def test_a_lock_that_a_child_kept_does_not_keep_the_worker_alive(local: LocalPlace) -> None:
    leak = "subprocess.Popen(['sleep', '600'], pass_fds=[int(os.environ['SWARM_LOCK_FD'])], env={})"
    executor = local.running(leak)
    handle = await executor.start(LAUNCH)
    await local.is_ready(handle)
    (child,) = psutil.Process(handle["pid"]).children()
    os.kill(handle["pid"], signal.SIGKILL)
    await until_ended(executor, handle)
    assert AgentFolder(local.folder(AGENT)).is_held()
    assert (await executor.poll(handle)).state == "exited"
    assert await executor.list(HUB) == []
    child.kill()


async def test_a_hub_without_file_descriptors_concludes_nothing(local: LocalPlace) -> None:
    executor = local.executor()
    handle = await executor.start(LAUNCH)
    with no_file_descriptors():
        observed = await executor.poll(handle)
        with pytest.raises(ExecutorError, match="Too many open files"):
            await executor.stop(handle, grace=1)
    assert (observed.state, observed.exit_code) == ("unknown", None)
    assert (await executor.poll(handle)).state == "alive"


async def test_a_start_without_file_descriptors_may_be_tried_again(local: LocalPlace) -> None:
    executor = local.executor()
    warm = await executor.start(launch(executor))  # what is imported when first used is imported now
    with no_file_descriptors(), pytest.raises(ExecutorError, match="Too many open files") as caught:
        await executor.start(LAUNCH)
    assert type(caught.value) is ExecutorError
    assert (await executor.poll(await executor.start(LAUNCH))).state == "alive"
    await executor.stop(warm, grace=5)


async def test_a_worker_without_its_folder_is_ended(local: LocalPlace) -> None:
    executor = local.executor()
    handle = await executor.start(LAUNCH)
    await local.is_ready(handle)
    shutil.rmtree(local.folder(AGENT))
    assert (await executor.poll(handle)).state == "lost"
    assert not local.is_running(AGENT)


@contextmanager
def no_file_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
