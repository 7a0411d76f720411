"""How a worker is started on this machine, what it gets, and what is left of it."""

import gc
import hashlib
import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from executors.conformance import HUB, launch
from executors.local_place import LocalPlace
from executors.waiting import until_ended
from swarm_api import ids
from swarm_executors.local import LocalExecutor
from swarm_executors.protocol import Handle, Launch, StartFailed
from waiting import until

TOKEN = "canary-of-the-token"
AGENT = ids.new_agent_id("local")
LAUNCH = Launch(AGENT, HUB, hub_url="http://127.0.0.1:3999", token=TOKEN, tier="light")
TELL = """
import hashlib, json
with open(int(os.environ["SWARM_WORKER_TOKEN_FD"])) as pipe:
    token = pipe.read()
open_files = [int(name) for name in os.listdir("/dev/fd")]
Path("seen.json").write_text(json.dumps({
    "environ": dict(os.environ),
    "argv": sys.argv,
    "cwd": os.getcwd(),
    "session": os.getsid(0),
    "stdin": os.path.samestat(os.fstat(0), os.stat(os.devnull)),
    "token": hashlib.sha256(token.encode()).hexdigest(),
    "files": [file for file in open_files if os.path.exists(f"/dev/fd/{file}")],
}))
"""


async def seen(local: LocalPlace, handle: Handle) -> dict[str, Any]:
    """What a worker that runs TELL saw of its world."""
    await local.is_ready(handle)
    told: dict[str, Any] = json.loads((local.folder(handle["agentId"]) / "seen.json").read_text())
    return told


async def test_a_worker_leads_a_session_of_its_own_in_its_folder(local: LocalPlace) -> None:
    handle = await local.running(TELL).start(LAUNCH)
    told = await seen(local, handle)
    assert told["session"] == handle["pid"]
    assert told["cwd"] == str(local.folder(AGENT))
    assert told["stdin"], "stdin is /dev/null"


async def test_a_worker_is_told_who_and_where_it_is(local: LocalPlace) -> None:
    told = await seen(local, await local.running(TELL).start(LAUNCH))
    own = {name: value for name, value in told["environ"].items() if name.startswith(("SWARM_", "PYTHON"))}
    assert own == {
        "SWARM_AGENT": AGENT,
        "SWARM_AGENT_ID": AGENT,
        "SWARM_HUB_URL": LAUNCH.hub_url,
        "SWARM_WORKER_TOKEN_FD": own["SWARM_WORKER_TOKEN_FD"],
        "SWARM_LOCK_FD": own["SWARM_LOCK_FD"],
        "PYTHONSAFEPATH": "1",
    }


async def test_nothing_secret_of_the_hub_reaches_a_worker(local: LocalPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "GITHUB_TOKEN", "JWT_SECRET", "DATABASE_URL", "SWARM_API_KEY"]
    for name in [*secrets, "AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "PYTHONSTARTUP", "LD_PRELOAD_", "GIT_DIR", "LCX"]:
        monkeypatch.setenv(name, f"canary-{name}")
    told = await seen(local, await local.running(TELL).start(LAUNCH))
    assert "canary" not in json.dumps(told)


async def test_what_git_and_people_need_reaches_a_worker(local: LocalPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {"HOME": "/h", "LC_ALL": "C", "TZ": "UTC", "SSH_AUTH_SOCK": "/agent", "https_proxy": "http://proxy"}
    for name, value in needed.items():
        monkeypatch.setenv(name, value)
    told = await seen(local, await local.running(TELL).start(LAUNCH))
    assert needed.items() <= told["environ"].items()


async def test_the_token_is_read_from_its_file_descriptor_and_is_nowhere_else(local: LocalPlace) -> None:
    handle = await local.running(TELL).start(LAUNCH)
    told = await seen(local, handle)
    process = psutil.Process(handle["pid"])
    shown = json.dumps([told, process.cmdline(), process.environ(), handle])
    written = b"".join(path.read_bytes() for path in local.data_dir.rglob("*") if path.is_file())
    assert told["token"] == hashlib.sha256(TOKEN.encode()).hexdigest()
    assert TOKEN not in shown
    assert TOKEN.encode() not in written


async def test_a_worker_inherits_no_other_file_of_the_hub(local: LocalPlace) -> None:
    told = await seen(local, await local.running(TELL).start(LAUNCH))
    assert set(told["files"]) <= {0, 1, 2, int(told["environ"]["SWARM_LOCK_FD"])}


async def test_what_an_agent_writes_is_for_its_owner_alone(local: LocalPlace) -> None:
    await local.executor().start(LAUNCH)
    folder = local.folder(AGENT)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder.parent, folder, folder / "output.log"]}
    assert modes == {"agents": 0o700, AGENT: 0o700, "output.log": 0o600}


async def test_output_and_errors_are_kept_in_their_order(local: LocalPlace) -> None:
    lines = "print('one', flush=True); print('two', file=sys.stderr, flush=True); print('three', flush=True)"
    executor = local.running(lines)
    handle = await executor.start(LAUNCH)
    await local.is_ready(handle)
    await executor.stop(handle, grace=10)
    assert (local.folder(AGENT) / "output.log").read_text() == "one\ntwo\nthree\n"


async def test_a_worker_that_breaks_says_why(local: LocalPlace) -> None:
    executor = local.running("raise ValueError('the reason')")
    handle = await executor.start(LAUNCH)
    await until_ended(executor, handle)
    observed = await executor.poll(handle)
    assert (observed.exit_code, observed.detail) == (1, "ValueError: the reason")


async def test_a_killed_worker_says_by_what(local: LocalPlace) -> None:
    executor = local.executor()
    handle = await executor.start(LAUNCH)
    os.kill(handle["pid"], signal.SIGKILL)
    await until_ended(executor, handle)
    observed = await executor.poll(handle)
    assert (observed.state, observed.exit_code, observed.detail) == ("exited", 137, "killed by SIGKILL")


async def test_the_exit_code_is_there_for_the_next_hub(local: LocalPlace) -> None:
    executor = local.executor()
    handle = await executor.start(LAUNCH)
    await local.is_ready(handle)
    local.finish(handle, 7)
    await until_ended(executor, handle)
    assert (await local.executor().poll(handle)).exit_code == 7


async def test_no_zombie_stays_when_nobody_asks_for_a_worker_any_more(local: LocalPlace) -> None:
    executor = local.executor()
    handle = await executor.start(LAUNCH)
    await local.is_ready(handle)
    local.finish(handle, 0)
    await until(lambda: not psutil.pid_exists(handle["pid"]))


async def test_a_closed_executor_lets_go_of_its_workers_without_a_warning(local: LocalPlace) -> None:
    executor = local.executor()
    await executor.start(LAUNCH)
    await executor.aclose()
    del executor
    gc.collect()


async def test_a_worker_is_the_console_script_beside_this_python(
    local: LocalPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "swarm-worker"
    script.write_text(f"#!{sys.executable} -S\nopen('ready', 'w')\n")
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    executor = LocalExecutor(local.data_dir)
    await local.is_ready(await executor.start(LAUNCH))
    await executor.aclose()


async def test_a_program_that_cannot_be_executed_does_not_start(local: LocalPlace, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(StartFailed, match="Permission denied"):
        await local.commanding(str(tmp_path / "text")).start(LAUNCH)


async def test_a_data_folder_that_cannot_be_written_stops_the_start(local: LocalPlace) -> None:
    (local.data_dir / "agents").write_text("in the way")
    with pytest.raises(StartFailed, match="agents"):
        await local.executor().start(LAUNCH)


async def test_an_agent_starts_once_its_program_is_there(local: LocalPlace) -> None:
    with pytest.raises(StartFailed):
        await local.broken().start(LAUNCH)
    executor = local.executor()
    assert (await executor.poll(await executor.start(LAUNCH))).state == "alive"


@pytest.mark.parametrize("agent_id", ["../local-agent-0123abcd", "local-agent-0123abcd\n", "", "local-agent-0123ABCD"])
async def test_an_id_that_is_none_is_never_a_path(local: LocalPlace, agent_id: str) -> None:
    executor = local.executor()
    wrong = Launch(agent_id, HUB, hub_url="http://127.0.0.1", token=TOKEN, tier="light")
    with pytest.raises(StartFailed, match="no agent's id"):
        await executor.start(wrong)
    assert list(local.data_dir.iterdir()) == []


async def test_two_agents_have_two_folders(local: LocalPlace) -> None:
    executor = local.executor()
    handles = [await executor.start(launch(executor)) for _ in range(2)]
    assert {path.name for path in (local.data_dir / "agents").iterdir()} == {handle["agentId"] for handle in handles}
