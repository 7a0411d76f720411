"""Changing the config file: whole or not at all, whoever else changes it meanwhile."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from swarm_api.config import BadConfig, check, read_config


def change_config(path: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Set the settings given, and take away those that are None; what the file held before.

    The file is written under another name and renamed, with mode 0600. A link stays one: its target changes.
    Raises `BadConfig` for what cannot be, in the changes or in the file, and `OSError`.
    """
    for name, value in changes.items():
        if value is not None:
            check(name, value)
    try:
        _make_private(path.parent)
        with _alone(path):
            before = read_config(path)
            after = {name: value for name, value in {**before, **changes}.items() if value is not None}
            if after != before:
                _replace(path.resolve(), after)
    except RuntimeError:  # what Python 3.11 raises for links in a circle
        raise BadConfig(f"{path}: a link that leads to itself") from None
    return before


def _make_private(folder: Path) -> None:
    """The folder, and those above it that are missing, for nobody else to look into."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    import fcntl

    # A file of its own: the config itself is replaced, and a home on NFS cannot lock a folder.
    lock = _open(path.with_name(path.name + ".lock"), os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _replace(path: Path, config: Mapping[str, Any]) -> None:
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)  # of a writer that was killed: there is no other now
    with os.fdopen(_open(draft, os.O_WRONLY | os.O_EXCL), "w", encoding="utf-8") as file:
        file.write(json.dumps(config, ensure_ascii=False, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _open(path: Path, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
