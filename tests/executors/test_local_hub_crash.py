"""The hub is killed at every point of a start, or later: its worker goes on, and is not started again."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from executors.conformance import HUB
from executors.local_place import LocalPlace
from swarm_api import ids
from swarm_executors.protocol import Handle, Launch

START = """
import asyncio, itertools, json, os, signal, sys
from pathlib import Path
from swarm_executors.local import LocalExecutor
from swarm_api import ids
from swarm_executors.protocol import Launch

async def start(agent_id, data_dir, *command):
    executor = LocalExecutor(Path(data_dir), command)
    return await executor.start(Launch(agent_id, "hub-under-test", "http://127.0.0.1:3000", "a-token", "light"))
"""
ONE_HUB = (
    START
    + """
async def hub():
    print(json.dumps(await start(*sys.argv[1:])), flush=True)
    await asyncio.Event().wait()

asyncio.run(hub())
"""
)
# Python tells an audit hook of each folder made, lock taken, file opened and program started. The first hub kills
# itself at the first of these, the second at the second, until one comes through.
DYING_HUBS = (
    START
    + """
def die_at(point):
    told = itertools.count(1)

    def hook(event, arguments):
        if event in ("os.mkdir", "fcntl.flock", "open", "subprocess.Popen") and next(told) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)

for point, agent_id in enumerate(sys.argv[1].split(), start=1):
    if os.fork() == 0:
        die_at(point)
        asyncio.run(start(agent_id, *sys.argv[2:]))
        os._exit(0)
    if os.wait()[1] == 0:
        print(point)
        break
"""
)


@contextmanager
def killed_hub(program: str, *arguments: str) -> Iterator[str]:
    """A hub in a process of its own, and the first line it prints. It is killed in the end."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        yield hub.stdout.readline()
        hub.kill()


def launch(agent_id: str) -> Launch:
    return Launch(agent_id, HUB, hub_url="http://127.0.0.1:3000", token="a-token", tier="light")


async def test_a_worker_survives_the_kill_of_its_hub(local: LocalPlace) -> None:
    with killed_hub(ONE_HUB, ids.new_agent_id("local"), str(local.data_dir), *local.command()) as line:
        handle: Handle = json.loads(line)
        await local.is_ready(handle)
    executor = local.executor()
    assert (await executor.poll(handle)).state == "alive"
    assert await executor.list(HUB) == [handle]
    await executor.stop(handle, grace=20)
    assert local.has_saved(handle["agentId"])
    assert not local.is_running(handle["agentId"])


async def test_wherever_a_hub_dies_in_a_start_there_is_one_worker_in_the_end(local: LocalPlace) -> None:
    agents = [ids.new_agent_id("local") for _ in range(100)]
    with killed_hub(DYING_HUBS, " ".join(agents), str(local.data_dir), *local.command()) as line:
        points = int(line)
    assert points > 10, "the hubs died at points that matter"
    executor, agents = local.executor(), agents[:points]
    handles = await asyncio.gather(*(executor.start(launch(agent_id)) for agent_id in agents))
    await asyncio.gather(*(local.is_ready(handle) for handle in handles))
    assert [local.starts(agent_id) for agent_id in agents] == [1] * points
    assert {(await executor.poll(handle)).state for handle in handles} == {"alive"}
    assert sorted(handle["agentId"] for handle in await local.executor().list(HUB)) == sorted(agents)
