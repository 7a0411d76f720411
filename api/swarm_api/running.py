"""The token that a hub leaves for the user of its machine: in its note, for as long as it runs."""

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

from swarm_api.addresses import origin


class RunningHub:
    """The token in the note of the hub at `url`. The note is read again when it changed: a restart brings another."""

    def __init__(self, url: str, note: Path) -> None:
        self._origin = origin(url)
        self._path = note
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._token: str | None = None

    def token(self) -> str | None:
        with self._lock:
            if (seen := _stamp(self._path)) != self._seen:
                self._token, self._seen = self._read(), seen
            return self._token

    def renewed(self, refused: str | None) -> str | None:
        with self._lock:
            self._token = self._read()
            return self._token if self._token != refused else None

    def rest(self) -> None:
        return None

    def _read(self) -> str | None:
        note = trusted_note(self._path)
        token = note.get("token")
        return token if isinstance(token, str) and origin(str(note.get("url"))) == self._origin else None


def trusted_note(path: Path) -> dict[str, Any]:
    """What a hub's note says, if it is a plain file of ours that nobody else can open; nothing otherwise."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return {}
    with os.fdopen(descriptor, "rb") as file:
        if not _is_ours(os.fstat(descriptor)):
            return {}
        try:
            note = json.loads(file.read())
        except (ValueError, RecursionError):
            return {}
    return note if isinstance(note, dict) else {}


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.lstat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _is_ours(found: os.stat_result) -> bool:
    if not stat.S_ISREG(found.st_mode):
        return False
    if os.name == "nt":
        return True  # the access list of the user's profile keeps others out
    return found.st_uid == os.geteuid() and not found.st_mode & 0o077
