"""A hub with a made-up history, for as long as somebody looks at it."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from swarm_cli import local_hub
from swarm_cli.faults import Fault
from swarm_cli.screen import write

_OURS = (
    "SWARM_", "ANTHROPIC_", "FLY_", "AZURE_", "SLURM_", "GITHUB_TOKEN", "JWT_", "DATABASE_URL", "REDIS_URL",
    "EXECUTOR_TYPE", "PUBLIC_URL", "TRUSTED_PROXIES", "ALLOWED_ORIGINS", "TIME_ZONE", "OTEL_", "MAX_PARALLEL_AGENTS",
    "DEFAULT_", "LOG_FORMAT",
)  # fmt: skip


@contextmanager
def sample_hub(environ: Mapping[str, str]) -> Iterator[tuple[dict[str, str], Path]]:
    """The environment of who looks at it, and a folder for notebooks. All of it is gone afterwards.

    Its agents would be simulated, and it has nothing to start any for. Raises a `Fault`.
    """
    local_hub.program()
    folder = Path(tempfile.mkdtemp(prefix="claude-swarm-sample-")).resolve()
    try:
        write("Making up a history …")
        _make(folder / "data")
        hub = local_hub.start(_environment(folder, environ))
        try:
            write(f"A hub with made-up tasks: {hub.url}. It is removed when this ends.")
            yield (
                {**_clean(environ), "SWARM_URL": hub.url, "SWARM_DATA_DIR": str(folder / "data")},
                folder / "notebooks",
            )
        finally:
            local_hub.stop(hub)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(data: Path) -> None:
    made = subprocess.run([sys.executable, "-m", "swarm_hub.sample", data], capture_output=True, text=True, check=False)
    if made.returncode:
        words = made.stderr.strip().splitlines() or ["it ended without a word"]
        raise Fault(f"no history could be made: {words[-1]}", hint="swarm doctor")


def _environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """A hub beside the user's own: with its own data, key and port, and none of the user's settings."""
    (folder / "home").mkdir()
    return {
        **_clean(environ),
        "HOME": str(folder / "home"),
        "XDG_CONFIG_HOME": str(folder / "home" / ".config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",  # its first key is no keepsake
        "SWARM_DATA_DIR": str(folder / "data"),
        "SWARM_REPO_ROOTS": str(folder),
        "SIMULATE_MODE": "true",
        "DAILY_BUDGET_CENTS": "3000",  # near to what is spent, so that there is something to foresee
        "WEEKLY_BUDGET_CENTS": "12000",
        "HOST": "127.0.0.1",
        "PORT": "0",
        "LOG_LEVEL": "warning",
    }


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(_OURS)}
