"""The hub on this machine as a process: found by its note, started, waited for, stopped."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swarm_api.config import Running, config_file, data_folder, read_config, read_running
from swarm_api.errors import HubUnreachable, SwarmError
from swarm_cli.faults import FAILED, Fault
from swarm_cli.reading import Hub

START_SECONDS = 30.0
STOP_SECONDS = 30.0
BAD_SETTING = 78  # the hub's own exit code for it
_LOOK_AGAIN = 0.02
_CLOCKS_DIFFER = 5.0  # seconds a start time may move when the clock is put right
_MAX_LOG = 10 * 1024 * 1024

# The config's settings that the hub takes from its environment.
_VARIABLES = {
    "executorType": "EXECUTOR_TYPE", "flyAppName": "FLY_APP_NAME", "flyRegion": "FLY_REGION",
    "flyContainerImage": "FLY_CONTAINER_IMAGE", "azureSubscriptionId": "AZURE_SUBSCRIPTION_ID",
    "azureResourceGroup": "AZURE_RESOURCE_GROUP", "containerAppsEnvironment": "CONTAINER_APPS_ENVIRONMENT",
    "agentJobName": "AGENT_JOB_NAME",
}  # fmt: skip


def hub_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a hub started here: this one, with the config's settings where none is set."""
    config = read_config(config_file(environ))
    settings = {variable: str(config[name]) for name, variable in _VARIABLES.items() if name in config}
    return {**settings, **environ}


def program() -> Path:
    """The hub's program, installed beside this one. Raises a `Fault` when it is not."""
    path = Path(sys.executable).parent / "swarm-hub"
    if not path.exists():
        raise not_installed()
    return path


def not_installed() -> Fault:
    return Fault("the hub is not installed here", hint="pip install 'claude-swarm[hub,worker]'")


def simulates(environ: Mapping[str, str]) -> bool:
    """Whether a hub with these variables simulates its agents."""
    return environ.get("SIMULATE_MODE", "").lower() in ("true", "1")


def needs_key(environ: Mapping[str, str]) -> bool:
    """Whether the agents of a hub with these variables would have no key to call the model with."""
    scripted = environ.get("SWARM_RUNTIME") == "scripted"
    return not (environ.get("ANTHROPIC_API_KEY") or simulates(environ) or scripted)


def find(environ: Mapping[str, str]) -> Running | None:
    """The hub of this data folder, if it runs."""
    note = read_running(data_folder(environ))
    return note if note and _process(note) else None


def stale(environ: Mapping[str, str]) -> Running | None:
    """The note of a hub that is gone without having taken it away."""
    note = read_running(data_folder(environ))
    return note if note and not _process(note) else None


def _process(note: Running) -> Any:
    """The process the note is about: never a later owner of its number. None when it is gone."""
    try:
        import psutil
    except ImportError as error:
        raise not_installed() from error
    try:
        process = psutil.Process(note.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process if abs(process.create_time() - note.start_time) < _CLOCKS_DIFFER else None
    except psutil.Error:
        return None


def start(environ: Mapping[str, str]) -> Running:
    """Start a hub that outlives this program, and wait until it accepts.

    Raises a `Fault` with its last words and its exit code.
    """
    _check_data_folder(environ)
    log = _log(data_folder(environ))
    with log.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(
            [program()], env=hub_environment(environ), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            cwd="/", start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        note = read_running(data_folder(environ))
        if note and note.pid == process.pid and accepts(note):
            return note
        time.sleep(_LOOK_AGAIN)
    code = process.poll() or FAILED
    process.kill()
    process.wait()
    raise Fault(_last_words(log, begin), hint=f"its log: {log}", exit_code=code if code > 0 else FAILED)


def accepts(note: Running) -> bool:
    try:
        Hub(note.url, timeout=2.0).call("GET", "/health")
    except HubUnreachable:
        return False
    except SwarmError:
        return True  # it answers: what ails it is for `doctor` to say
    return True


def stop(note: Running) -> None:
    """End the hub and wait until it is gone. Raises a `Fault` when it does not go."""
    import psutil

    process = _process(note)
    if process is None:
        return
    try:
        process.terminate()
        process.wait(STOP_SECONDS)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise Fault(f"the hub (pid {note.pid}) belongs to somebody else") from error
    except psutil.TimeoutExpired as error:
        raise Fault(f"the hub (pid {note.pid}) has not ended in {STOP_SECONDS:.0f} s") from error


def _check_data_folder(environ: Mapping[str, str]) -> None:
    folder = environ.get("SWARM_DATA_DIR")
    if folder and not Path(folder).expanduser().is_absolute():
        raise Fault(f"SWARM_DATA_DIR is {folder!r}; allowed: an absolute path", exit_code=BAD_SETTING)


def _log(data: Path) -> Path:
    """Where a hub in the background writes, ready to be written to."""
    log = data / "hub.log"
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _MAX_LOG:
            log.replace(data / "hub.log.1")
        os.close(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    except OSError as error:
        reason = f"SWARM_DATA_DIR is '{data}', which cannot be written: {error.strerror}"
        raise Fault(reason, exit_code=BAD_SETTING) from error
    return log


def _last_words(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        words = file.read(100_000).decode(errors="replace").strip().splitlines()
    return words[-1].removeprefix("claude-swarm hub: ") if words else "the hub ended without a word"
