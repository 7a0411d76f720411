"""Where a working tree begins."""

import os
import subprocess
from pathlib import Path


def git_root(path: Path) -> Path | None:
    """The top of the working tree around a folder; None outside of one."""
    if not path.is_dir():
        return None
    command = ["git", "-c", "core.hooksPath=/dev/null", "rev-parse", "--show-toplevel"]
    # A git hook that hands out a task has variables of its own repository set.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    found = subprocess.run(command, cwd=path, env=environ, capture_output=True, text=True, check=False)
    return Path(found.stdout.rstrip("\n")) if found.returncode == 0 and found.stdout else None
