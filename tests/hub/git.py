"""git for the tests' own repositories."""

import subprocess
from pathlib import Path


def git(*arguments: str | Path, folder: Path | None = None) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
