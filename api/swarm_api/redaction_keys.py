"""Private keys in PEM, whose lines come one after the other: between text, numbered, quoted, or as part of a diff."""

import re
from collections.abc import Iterator
from enum import Enum, auto

SIGN = "PRIVATE KEY"
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\\{1,8}[nr])?\W{0,8}$")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BEFORE_BODY = re.compile(r"\W{0,40}(?:[A-Z][A-Za-z-]{3,20}: .{0,200})?$")
_FULL = re.compile(r"(?P<sign>^\+)?[A-Za-z0-9+/]{32,}={0,2}")  # a diff's plus is not of the key's own
_LAST = re.compile(
    r"(?P<before>\s{0,40}(?:\S{0,200}[:|>→\t])?\+?[^A-Za-z0-9+/]{0,40})[A-Za-z0-9+/]{1,76}={0,2}(?P<after>\W{0,40})$"
)
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?")


class _Place(Enum):
    OUTSIDE = auto()
    BEFORE_BODY = auto()
    BODY = auto()
    BEFORE_END = auto()


class PrivateKeys:
    """Follows a text line by line and replaces the body of each private key; the lines stay as many as they are."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._place = _Place.OUTSIDE

    @property
    def inside(self) -> bool:
        return self._place is not _Place.OUTSIDE

    def line(self, line: str) -> str:
        """The line, without its end, as it may be shown."""
        if self._place is not _Place.OUTSIDE:
            if (shown := self._within(line)) is not None:
                return shown
            self._place = _Place.OUTSIDE
        if SIGN in line and _BEGIN.search(line):
            self._place = _Place.BEFORE_BODY
        return line

    def _within(self, line: str) -> str | None:
        """None for a line that is no part of a key."""
        if _END.search(line):
            self._place = _Place.OUTSIDE
            return line
        if self._place is not _Place.BEFORE_END and _FULL.search(line):
            self._place = _Place.BODY
            return _FULL.sub(rf"\g<sign>{self._mark}", line)
        if self._place is _Place.BODY and (last := _LAST.match(line)):
            self._place = _Place.BEFORE_END
            return f"{last['before']}{self._mark}{last['after']}"
        return line if _BEFORE_BODY.match(line) else None


def followed(keys: PrivateKeys, text: str) -> Iterator[str]:
    """The lines of a text with their ends, as they may be shown."""
    for line in _LINES.findall(text):
        body = line.rstrip("\r\n")
        yield keys.line(body) + line[len(body) :]
