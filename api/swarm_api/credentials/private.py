"""Reading files that nobody but their owner can reach."""

import errno
import os
import shlex
import stat
import sys
from pathlib import Path

from swarm_api.credentials.errors import CredentialError

LONGEST = 1_000_000
"""Bytes. A larger file is refused."""
# A link is not followed and a pipe not waited for. Windows has neither flag: its links need a privilege.
UNTRICKED = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read(path: Path) -> bytes | None:
    """The content, or None when there is no file.

    Raises `CredentialError` when somebody else could have read or written it, and when it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | UNTRICKED)
        try:
            _check_file(path, os.fstat(descriptor))
            check_folder(path.parent)
            content = _content(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise failed(path, error) from None
    if len(content) > LONGEST:
        raise CredentialError(f"{path}: larger than {LONGEST} bytes, so it holds something else; move it away")
    return content


def check_folder(folder: Path) -> None:
    """Raises `CredentialError` for one that is not the user's alone, and `OSError`."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise CredentialError(f"{folder}: a link or a file; put a folder of your own there")
    _check_owner(folder, found, "700")


def failed(path: Path, error: OSError) -> CredentialError:
    if error.errno == errno.ELOOP:  # what O_NOFOLLOW answers
        return CredentialError(f"{path}: a symbolic link; put the file itself there")
    return CredentialError(f"{path}: {error.strerror}")


def _content(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(LONGEST + 1)


def _check_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise CredentialError(f"{path}: no regular file; move it away")
    _check_owner(path, found, "600")


def _check_owner(path: Path, found: os.stat_result, narrow: str) -> None:
    if sys.platform == "win32":
        return  # it has no such modes; the access list of the user's profile keeps others out
    if found.st_uid != os.geteuid():
        raise CredentialError(f"{path}: belongs to another user (uid {found.st_uid}); put one of your own there")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise CredentialError(f"{path}: open to others (mode {mode:04o}); chmod {narrow} {shlex.quote(str(path))}")
