"""`credentials`, a file of `KEY=value` lines written by hand. Nothing is ever added to it."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from swarm_api.credentials import private, writing
from swarm_api.credentials.errors import CredentialError
from swarm_api.credentials.names import VARIABLES

_SETTING = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)", re.ASCII)
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<value>.*?)(?P=quote)\s*(?:#.*)?""")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_NAMES = {variable: name for name, variable in VARIABLES.items()}


class _Line(NamedTuple):
    raw: str
    key: str | None
    value: str


class PlainFile:
    """Variables of others may stand in it too: they are left alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, str]:
        """The credentials in it, by name; as in a shell the last line wins. Raises `CredentialError`."""
        return {_NAMES[line.key]: line.value for line in self._lines() if line.key in _NAMES and line.value}

    def drop(self, name: str) -> bool:
        """Whether it was there. The file goes when nothing but comments would stay."""
        if not os.path.lexists(self.path):
            return False
        with writing.sole_writer(self.path.parent):
            lines = self._lines()
            kept = [line for line in lines if line.key != VARIABLES[name]]
            if len(kept) == len(lines):
                return False
            if any(line.key for line in kept):
                writing.write(self.path, "\n".join(line.raw for line in kept).encode())
            else:
                writing.remove(self.path)
            return True

    def _lines(self) -> list[_Line]:
        content = private.read(self.path) or b""
        try:
            text = content.decode("utf-8-sig")  # some editors begin a file with a mark
        except UnicodeDecodeError as error:
            raise CredentialError(f"{self.path}: byte {error.start} is not UTF-8; write it again") from None
        return [self._parse(number, raw) for number, raw in enumerate(text.split("\n"), 1)]

    def _parse(self, number: int, raw: str) -> _Line:
        text = raw.strip()
        if not text or text.startswith("#"):
            return _Line(raw, None, "")
        setting = _SETTING.fullmatch(text)
        value = setting and _value(setting[2])
        if setting is None or value is None or not value.isprintable():
            raise CredentialError(f"{self.path}: line {number} is no KEY=value; write it again")
        return _Line(raw, setting[1], value)


def _value(text: str) -> str | None:
    """Without quotes and comment; None when a quote is not closed, or more follows it."""
    if text[:1] in ("'", '"'):
        quoted = _QUOTED.fullmatch(text)
        return quoted and quoted["value"].strip()
    return _COMMENT.sub("", text).strip()
