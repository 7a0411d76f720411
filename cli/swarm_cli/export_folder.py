"""A folder that is there whole or not at all: made beside its place, and renamed when all of it is written."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from swarm_cli.export_manifest import MANIFEST, MARK
from swarm_cli.faults import Fault, wrong_usage


@contextmanager
def new_folder(target: Path, force: bool) -> Iterator[Path]:
    """A folder to write into, which takes the place of `target` at the end. What goes wrong leaves all as it was.

    Raises a usage `Fault` where something is in its place; with `force` an earlier export may be.
    """
    target = target.resolve()
    if not target.parent.is_dir():
        raise wrong_usage(f"there is no folder {target.parent}")
    _check(target, force)
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield made
        _replace(target, made, force)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _check(target: Path, force: bool) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir():
        raise wrong_usage(f"{target} is no folder")
    if not any(target.iterdir()):
        return
    if not force:
        raise wrong_usage(f"{target} is not empty", hint="another folder, or --force in the place of an earlier export")
    if not _is_export(target):
        raise wrong_usage(f"{target} holds something else than an export: --force does not remove that")


def _is_export(folder: Path) -> bool:
    try:
        return MARK in json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def _replace(target: Path, made: Path, force: bool) -> None:
    """Raises a `Fault` when somebody was quicker with something else."""
    _check(target, force)
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        if target.exists():
            target.rename(old / "old")
        try:
            made.rename(target)
        except OSError as error:
            if (old / "old").exists():
                (old / "old").rename(target)
            raise Fault(f"{target}: {error.strerror}") from error
    finally:
        shutil.rmtree(old, ignore_errors=True)
