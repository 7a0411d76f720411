"""The hub on this machine as a process: found by its note, started, waited for, stopped."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from swarm_api.config import Running, config_file, data_folder, read_config, read_running
from swarm_api.errors import HubUnreachable, SwarmError
from swarm_cli.faults import FAILED, Fault
from swarm_cli.reading import Hub
from swarm_cli.screen import write

START_SECONDS = 30.0
STOP_SECONDS = 30.0
BAD_SETTING = 78  # the hub's own exit code for it
_LOOK_AGAIN = 0.02
_CLOCKS_DIFFER = 5.0  # seconds a start time may move when the clock is put right
_MAX_LOG = 10 * 1024 * 1024

# The config's settings that are a hub's, too.
_SETTINGS = {
    "executorType": "EXECUTOR_TYPE", "defaultBudgetCents": "DEFAULT_TASK_BUDGET_CENTS",
    "defaultTimeoutMinutes": "DEFAULT_TIMEOUT_MINUTES", "flyAppName": "FLY_APP_NAME", "flyRegion": "FLY_REGION",
    "flyContainerImage": "FLY_CONTAINER_IMAGE", "azureSubscriptionId": "AZURE_SUBSCRIPTION_ID",
    "azureResourceGroup": "AZURE_RESOURCE_GROUP", "containerAppsEnvironment": "CONTAINER_APPS_ENVIRONMENT",
    "agentJobName": "AGENT_JOB_NAME",
}  # fmt: skip
# The same of the stored secrets.
_KEY = {"anthropic-api-key": "ANTHROPIC_API_KEY"}
_OTHERS = {"fly-api-token": "FLY_API_TOKEN", "github-token": "GITHUB_TOKEN"}
_SECRETS = {**_KEY, **_OTHERS}
GIVEN = frozenset({*_SETTINGS, *_SECRETS})
"""What a hub has from here, as it was when it started."""


def hub_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a hub started here: this one, with what is configured and stored where none is set.

    Raises `BadConfig` and `CredentialError`.
    """
    config = read_config(config_file(environ))
    found = {variable: _written(config[name]) for name, variable in _SETTINGS.items() if name in config}
    merged = {**environ, **{variable: value for variable, value in found.items() if not environ.get(variable)}}
    wanted = {**(_KEY if needs_key(merged) else {}), **_OTHERS}
    missing = {name: variable for name, variable in wanted.items() if not merged.get(variable)}
    return {**merged, **_stored_secrets(merged, missing)}


def _written(value: str | float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _stored_secrets(environ: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    from swarm_api.credentials import Credentials

    credentials = Credentials(environ, lambda text: write(f"warning: {text}", sys.stderr))
    found = {variable: credentials.find(name) for name, variable in wanted.items()}
    return {variable: secret.value for variable, secret in found.items() if secret}


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


def start(environ: Mapping[str, str], show: Callable[[str], None] = lambda _line: None) -> Running:
    """Start a hub that outlives this program, and wait until it accepts.

    `show` is given each line that it has for its user alone: at its very first start, its admin key. Raises a `Fault`
    with its last words and its exit code.
    """
    _check_data_folder(environ)
    settings, log = hub_environment(environ), _log(data_folder(environ))
    reading, writing = os.pipe()
    with log.open("ab") as output, os.fdopen(reading, "rb", buffering=0) as said:
        begin = output.tell()
        process = subprocess.Popen(
            [program()], env=settings, stdin=subprocess.DEVNULL, stdout=writing, stderr=output, cwd="/",
            start_new_session=True, pass_fds=[reading],  # its own reader, so that it outlives this one
        )  # fmt: skip
        os.close(writing)
        try:
            note = _wait(process, environ)
        except BaseException:  # Ctrl-C: nobody would know of a hub that came up after all
            process.kill()
            process.wait()
            raise
        if note is None:
            raise _failure(process, log, begin)
        os.set_blocking(reading, False)
        for line in (said.read() or b"").decode(errors="replace").splitlines():
            show(line)
    return note


def _wait(process: subprocess.Popen[bytes], environ: Mapping[str, str]) -> Running | None:
    """The hub's note once it accepts; None when it has ended, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        note = read_running(data_folder(environ))
        if note and note.pid == process.pid and accepts(note):
            return note
        time.sleep(_LOOK_AGAIN)
    return None


def _failure(process: subprocess.Popen[bytes], log: Path, begin: int) -> Fault:
    code = process.poll() or FAILED
    process.kill()
    process.wait()
    return Fault(_last_words(log, begin), hint=f"its log: {log}", exit_code=code if code > 0 else FAILED)


def running_simulates(environ: Mapping[str, str]) -> bool:
    """Whether the hub of this data folder runs, and simulates its agents."""
    running = find(environ)
    try:
        return running is not None and bool(Hub.running(running, environ).get("provider")["simulated"])
    except SwarmError:
        return False


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
