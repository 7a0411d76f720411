"""What `swarm claude install` changed in other people's files, so that it can be undone to the byte."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from swarm_api.config import config_file
from swarm_cli.faults import Fault
from swarm_cli.json_text import Added, put, take
from swarm_cli.whole_file import write_whole

_EMPTIED = ("enabledPlugins", "extraKnownMarketplaces")
"""What Claude Code leaves behind, empty, of a plugin that was removed."""


class Wish(NamedTuple):
    """A value that shall be in a file of JSON."""

    file: Path
    path: tuple[str, ...]
    value: Any


def planned(wish: Wish) -> dict[str, Any]:
    """What `undo` needs to know. Writes nothing. Raises a `Fault` for a file that cannot take its value."""
    known = _with(wish, _text(wish.file)).known
    return {"file": str(wish.file), "path": wish.path, "value": wish.value, "known": known}


def apply(wish: Wish) -> None:
    """Write it, if it is not there already. Raises a `Fault`."""
    text = _text(wish.file)
    if (changed := _with(wish, text).text) != text:
        _replace(wish.file, changed.encode())


def undo(made: Mapping[str, Any]) -> str | None:
    """Take it out again; None, or why it stays."""
    file, path = Path(made["file"]), made["path"]
    if made["known"] == len(path):  # it was there before
        return None
    try:
        _replace(file, take(_text(file), path, made["value"], made["known"]).encode())
    except (ValueError, RecursionError, Fault) as error:
        return f"{file}: {error}"
    return None


class Original:
    """A file as it was."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._bytes = file.read_bytes() if file.exists() else None

    def noted(self) -> dict[str, Any]:
        content = None if self._bytes is None else base64.b64encode(self._bytes).decode()
        return {"file": str(self.file), "content": content}

    @staticmethod
    def restore(noted: Mapping[str, Any]) -> None:
        """Put the very bytes back, if what the file says now is what it said then."""
        file, content = Path(noted["file"]), noted["content"]
        before = None if content is None else base64.b64decode(content)
        if not file.exists() or file.read_bytes() == before:
            return
        then = {} if before is None else _parsed(before)
        now = _plain(_parsed(file.read_bytes()), then)
        if then is None or _said(now) != _said(then):
            return
        if before is None:
            file.unlink()
        else:
            _replace(file, before)


class Record:
    """What was done, by the folder it was done for. The file is its user's alone: it holds others' settings."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._file = config_file(environ).with_name("claude.json")

    def of(self, base: Path) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._all().get(str(base))
        return found

    def note(self, base: Path, done: Mapping[str, Any] | None) -> None:
        """None: nothing is left of it."""
        known = self._all()
        known.pop(str(base), None)
        if done is not None:
            known[str(base)] = dict(done)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._file, (json.dumps(known, indent=1) + "\n").encode(), 0o600)

    def _all(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Fault(f"{self._file} cannot be read: {error}") from error
        return known if isinstance(known, dict) else {}


def _with(wish: Wish, text: str) -> Added:
    try:
        return put(text, wish.path, wish.value)
    except (ValueError, RecursionError) as error:
        raise Fault(f"{wish.file} is left as it is: {error}", hint="mend it, or move it away") from error


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode() if file.exists() else "{}\n"
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"{file} cannot be read: {error}") from error


def _replace(file: Path, content: bytes) -> None:
    """With the permissions that are there. Raises a `Fault`."""
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    try:
        file.resolve().parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content, mode)
    except OSError as error:
        raise Fault(f"{file} cannot be written: {error.strerror}") from error


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _said(content: Any) -> str:
    """For comparing: in what order is all one, and 1 is not true as it is to Python."""
    return json.dumps(content, sort_keys=True)


def _plain(now: Any, then: Any) -> Any:
    """Without what Claude Code left empty and was not there."""
    if not isinstance(now, dict) or not isinstance(then, dict):
        return now
    return {key: value for key, value in now.items() if not (key in _EMPTIED and value == {} and key not in then)}
