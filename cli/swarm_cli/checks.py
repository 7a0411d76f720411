"""What this machine needs, each as a check."""

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from swarm_api.config import data_folder
from swarm_api.credentials import Credentials
from swarm_cli.check import Check, Verdict
from swarm_cli.checks_credentials import config_check, key_checks, store_check
from swarm_cli.checks_hub import hub_checks

GIT = (2, 38)
ENOUGH_DISK = 2 * 1024**3
_SOON = 10.0  # seconds a program may take to say its version


def checks(environ: Mapping[str, str]) -> Iterator[Check]:
    """All checks, one after another."""
    credentials = Credentials(environ, untold)
    yield _python()
    yield git_check()
    yield _programs()
    yield _claude()
    yield _sandbox(environ)
    yield config_check(environ)
    yield store_check(environ, credentials)
    yield _data(environ)
    yield _disk(environ)
    yield from key_checks(environ, credentials)
    yield from hub_checks(environ)


def untold(_warning: str) -> None:
    """What the store warns of is a check of its own."""


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_version()} at {sys.executable}")


def git_check() -> Check:
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


def _sandbox(environ: Mapping[str, str]) -> Check:
    wanted = environ.get("LOCAL_SANDBOX") == "bubblewrap"
    lacking: Verdict = "wrong" if wanted else "note"
    if sys.platform != "linux":
        return Check("sandbox", lacking, "none on this system: agents can do all that you can", "a user of their own")
    path = shutil.which("bwrap")
    if path is None:
        return Check("sandbox", lacking, "no bubblewrap: agents can do all that you can", "apt install bubblewrap")
    if not _runs([path, "--ro-bind", "/", "/", "--unshare-all", "--", "/bin/sh", "-c", ":"]):
        found = f"{path} may make no sandbox here: agents can do all that you can"
        return Check("sandbox", lacking, found, "allow unprivileged user namespaces")
    if not wanted:
        found = "bubblewrap works; without it agents can do all that you can"
        return Check("sandbox", "note", found, "LOCAL_SANDBOX=bubblewrap swarm orchestrator start")
    return Check("sandbox", "ok", f"bubblewrap, {path}")


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


def _existing(path: Path) -> Path:
    """The folder itself, or the nearest one around it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _said(command: list[str]) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_SOON, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=_SOON, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
