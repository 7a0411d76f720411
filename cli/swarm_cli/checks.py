"""What this machine needs, each as a check: what was found, whether it will do, and what mends it."""

import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from swarm_api.config import BadConfig, config_file, data_folder, read_config
from swarm_api.errors import SwarmError
from swarm_cli import local_hub
from swarm_cli.reading import Hub

GIT = (2, 38)
ENOUGH_DISK = 2 * 1024**3
DEFAULT_PORT = 3000
_OTHER_PORT = "PORT=0 swarm orchestrator start --background"
_SOON = 10.0  # seconds a program may take to say its version

Verdict = Literal["ok", "note", "wrong"]


class Check(NamedTuple):
    """`note`: it may do. `mend` is a command, or what to change."""

    name: str
    verdict: Verdict
    found: str
    mend: str = ""


def checks(environ: Mapping[str, str]) -> Iterator[Check]:
    """All checks, one after another."""
    yield _python()
    yield _git()
    yield _programs()
    yield _claude()
    yield _config(environ)
    yield _data(environ)
    yield _disk(environ)
    yield _key(environ)
    yield _hub(environ)


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_version()} at {sys.executable}")


def _git() -> Check:
    mend = "apt install git, brew install git, or git-scm.com"
    path = shutil.which("git")
    if path is None:
        return Check("git", "wrong", "not on the PATH", mend)
    said = _said([path, "--version"])
    numbers = re.search(r"(\d+)\.(\d+)", said)
    version = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if version < GIT:
        return Check("git", "wrong", f"{said or 'does not run'}; {GIT[0]}.{GIT[1]} or newer is needed", mend)
    return Check("git", "ok", f"{said.removeprefix('git version ')} at {path}")


def _programs() -> Check:
    folder = Path(sys.executable).parent
    missing = [name for name in ("swarm-hub", "swarm-worker") if not (folder / name).exists()]
    if missing or find_spec("swarm_hub") is None or find_spec("sqlalchemy") is None:
        return Check("hub", "wrong", "the hub is not installed here", "pip install 'claude-swarm[hub,worker]'")
    return Check("programs", "ok", f"swarm-hub and swarm-worker in {folder}")


def _claude() -> Check:
    mend = "pip install 'claude-swarm[worker]'"
    spec = find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        return Check("claude", "wrong", "the Claude Agent SDK is not installed", mend)
    bundled = Path(spec.origin).parent / "_bundled" / "claude"
    program = str(bundled) if bundled.exists() else shutil.which("claude")
    if program is None:
        return Check("claude", "wrong", "neither the SDK's Claude Code nor one on the PATH", mend)
    version = _said([program, "--version"])
    if not version:
        return Check("claude", "wrong", f"{program} does not run", mend)
    return Check("claude", "ok", f"{version}, {'with the SDK' if bundled.exists() else program}")


def _config(environ: Mapping[str, str]) -> Check:
    path = config_file(environ)
    try:
        settings = read_config(path)
    except BadConfig as error:
        return Check("config", "wrong", str(error), f"edit {path}")
    return Check("config", "ok", f"{path}, {len(settings)} set" if settings else f"none ({path})")


def _data(environ: Mapping[str, str]) -> Check:
    data = data_folder(environ)
    try:
        with tempfile.TemporaryFile(dir=_existing(data)):
            pass
    except OSError as error:
        return Check("data folder", "wrong", f"{data} cannot be written: {error.strerror}", "set SWARM_DATA_DIR")
    return Check("data folder", "ok", str(data))


def _disk(environ: Mapping[str, str]) -> Check:
    free = shutil.disk_usage(_existing(data_folder(environ))).free
    found = f"{free / 1024**3:.1f} GB free for worktrees and logs"
    if free < ENOUGH_DISK:
        return Check("disk", "wrong", found, "make room, or move SWARM_DATA_DIR")
    return Check("disk", "ok", found)


def _key(environ: Mapping[str, str]) -> Check:
    if environ.get("ANTHROPIC_API_KEY"):
        return Check("key", "ok", "ANTHROPIC_API_KEY is set here; a hub started here gets it")
    if local_hub.simulates(environ) or _hub_simulates(environ):
        return Check("key", "ok", "simulated: no key needed")
    return Check("key", "note", "no ANTHROPIC_API_KEY here", "export ANTHROPIC_API_KEY=…, or SIMULATE_MODE=true")


def _hub_simulates(environ: Mapping[str, str]) -> bool:
    running = local_hub.find(environ)
    try:
        return running is not None and bool(Hub(running.url, timeout=5.0).get("provider")["simulated"])
    except SwarmError:
        return False


def _hub(environ: Mapping[str, str]) -> Check:
    running = local_hub.find(environ)
    if running is None:
        return _port(environ)
    try:
        health = Hub(running.url, timeout=5.0).call("GET", "/health")
    except SwarmError as error:
        return Check("hub", "wrong", f"pid {running.pid} at {running.url}: {error.detail}", "swarm orchestrator stop")
    return Check("hub", "ok", f"{health['status']} at {running.url}, version {health['version']}")


def _port(environ: Mapping[str, str]) -> Check:
    port = environ.get("PORT") or str(DEFAULT_PORT)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", int(port)))
        except (OSError, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            return Check("hub", "wrong", f"does not run, and port {port} cannot be had: {reason}", _OTHER_PORT)
    return Check("hub", "wrong", "does not run", "swarm orchestrator start --background")


def _existing(path: Path) -> Path:
    """The folder itself, or the nearest one around it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _said(command: list[str]) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_SOON, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
