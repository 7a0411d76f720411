"""The files of a repository that stands in for another one."""

import os
import shutil
from pathlib import Path

from swarm_worker.checkout import Checkout
from swarm_worker.sandbox import INSIDE

OBJECTS = INSIDE / "objects"
"""Where the objects of the real repository are read."""
DEEPEST = 5
"""Steps from one alternate to the next that git takes."""
LEFT_OUT = shutil.ignore_patterns(
    "config", "config.worktree", "hooks", "*.lock", "lfs", "logs", "modules", "objects", "packed-refs", "refs",
    "reftable", "rr-cache", "worktrees",
)  # fmt: skip
"""Of the folder that git keeps about a worktree; of a scratch repository that is the repository."""


def lay_out(real: Checkout, folder: Path, git_dir: Path) -> None:
    """What git keeps about the worktree, as it is, and an empty repository around it that borrows the real objects."""
    if real.linked:
        folder.mkdir()
        shutil.copy(real.common / "HEAD", folder)
    shutil.copytree(real.git_dir, git_dir, symlinks=True, ignore=LEFT_OUT)
    for name in ("info", "shallow"):
        _copy(real.common / name, folder / name)
    for name in ("refs/heads", "refs/tags", "objects/info", "objects/pack"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    borrowed = [f"{OBJECTS / str(number)}\n" for number, _ in enumerate(stores(real.common / "objects"))]
    (folder / "objects/info/alternates").write_text("".join(borrowed))


def stores(objects: Path, depth: int = 0) -> list[Path]:
    """A folder of objects, and those it borrows from."""
    try:
        named = (objects / "info/alternates").read_text().splitlines() if depth < DEEPEST else []
    except OSError:
        named = []
    paths = [(objects / name).resolve() for name in named if name and not name.startswith("#")]
    return [objects, *(store for path in paths if path.is_dir() for store in stores(path, depth + 1))]


def delete(path: Path) -> None:
    """As far as it can be, also what its maker has closed. No link is followed."""
    for folder, names, _ in os.walk(path):
        for name in names:
            if not (inner := Path(folder, name)).is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def _copy(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)
    elif path.is_file():
        shutil.copy(path, target)
