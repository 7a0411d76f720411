"""Changing the files of a folder: whole or not at all, and one process at a time."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from swarm_api.credentials.errors import CredentialError
from swarm_api.credentials.private import UNTRICKED, check_folder, failed

LOCK_FILE = "credentials.lock"
_LOCK_SECONDS = 10.0
_LOOK_AGAIN = 0.01


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Be the only writer of the folder, among all processes. It is made, 0700, where it is missing.

    Raises `CredentialError` when another one does not finish within ten seconds.
    """
    lock = _open_lock(folder)
    try:
        _take(lock, folder / LOCK_FILE)
        yield
    finally:
        os.close(lock)  # which gives it back, as the death of the process would


def write(path: Path, content: bytes) -> None:
    """Replace the file by one of mode 0600. For the sole writer. Raises `CredentialError`."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)  # of a writer that was killed
        _write_out(fresh, content)
        fresh.replace(path)
    except OSError as error:
        _unlink_quietly(fresh)
        raise CredentialError(f"{path}: {error.strerror}; nothing was changed") from None
    _sync_folder(path.parent)


def remove(path: Path) -> None:
    """For the sole writer. Raises `CredentialError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CredentialError(f"{path}: {error.strerror}; nothing was changed") from None
    _sync_folder(path.parent)


def _open_lock(folder: Path) -> int:
    try:
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
        check_folder(folder)
        return os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | UNTRICKED, 0o600)
    except OSError as error:
        raise failed(Path(error.filename or folder), error) from None


def _take(lock: int, path: Path) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while not _taken(lock):
        if time.monotonic() > deadline:
            raise CredentialError(f"{path}: another program keeps it locked; end that one and try again")
        time.sleep(_LOOK_AGAIN)


def _taken(lock: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _write_out(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | UNTRICKED, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # a folder cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise CredentialError(f"{folder}: {error.strerror}; the change may not outlive a power failure") from None
    finally:
        os.close(descriptor)


def _unlink_quietly(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # why it could not be written is told; the next writer removes it
