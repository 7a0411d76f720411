"""Text as it may be stored and shown: no stray control characters, no broken Unicode, no endless lines."""

import codecs
import math
import re
from collections.abc import Iterator
from typing import Any

from swarm_api.worker import MAX_LINE

# Colours and cursor movements mean nothing outside the terminal they were made for; a title change must not reach one.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[=>78M])")
_STRAY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS = re.compile(r"\r\n|\n|\r")


def clean(text: str) -> str:
    """The text without escape sequences; other control characters and lone surrogates become U+FFFD."""
    if text.isprintable():
        return text
    return _STRAY.sub("�", _ESCAPES.sub("", text))


def cut(text: str) -> str:
    """At most `MAX_LINE` characters; what is missing is said at the end."""
    return text if len(text) <= MAX_LINE else _marked(text, len(text))


def _marked(text: str, length: int) -> str:
    note = f" … [{length:,} characters, cut]"
    return text[: MAX_LINE - len(note)] + note


def lines(text: str) -> list[str]:
    """The lines of a text, each clean and short enough. A last newline begins no line."""
    parts = _BREAKS.split(text)
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    return [cut(clean(part)) for part in parts]


def scrub(value: Any) -> Any:
    """JSON whose strings are clean and at most `MAX_LINE` long, and whose numbers JSON can hold."""
    if isinstance(value, str):
        return cut(clean(value))
    if isinstance(value, dict):
        return {clean(str(key)): scrub(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (int, float)) or value is None else cut(clean(str(value)))


class LineSplitter:
    """Turns the output of a program into lines, as it comes. Holds no more of a line than is kept of it."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = ""
        self._length = 0
        self._after_return = False

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that end in this chunk."""
        text = self._decoder.decode(chunk)
        if self._after_return:
            text = text.removeprefix("\n")
        self._after_return = text.endswith("\r") if text else self._after_return
        *ended, rest = _BREAKS.split(text)
        for part in ended:
            self._add(part)
            yield self._take()
        self._add(rest)

    def end(self) -> Iterator[str]:
        """The last line, when no newline ended it."""
        self._add(self._decoder.decode(b"", final=True))
        if self._length:
            yield self._take()

    def _add(self, part: str) -> None:
        self._length += len(part)
        self._line += part[: max(0, MAX_LINE + 1 - len(self._line))]

    def _take(self) -> str:
        line, length = self._line, self._length
        self._line, self._length = "", 0
        return clean(line) if length <= MAX_LINE else _marked(clean(line), length)
