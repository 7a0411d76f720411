"""Text as it may be stored and shown: without credentials, stray control characters, broken Unicode, endless lines."""

import codecs
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from swarm_api.redaction import LONGEST, RedactedStream, Redactor
from swarm_api.worker import MAX_LINE

KEPT = MAX_LINE + LONGEST
"""Characters that are kept of the output of a program for one line: more than are shown, so that a credential that
begins in what is shown is seen to its end."""

# Colours and cursor movements mean nothing outside the terminal they were made for; a title change must not reach one.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[=>78M])")
_STRAY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS = re.compile(r"\r\n|\n|\r")
_NOTE = re.compile(r" … \[[0-9,]+ characters, cut\]\Z")


def clean(text: str) -> str:
    """The text without escape sequences; other control characters and lone surrogates become U+FFFD."""
    if text.isprintable():
        return text
    return _STRAY.sub("�", _ESCAPES.sub("", text))


def cut(text: str) -> str:
    """At most `MAX_LINE` characters; what is missing is said at the end."""
    if len(text) <= MAX_LINE:
        return text
    note = _NOTE.search(text)
    return _noted(text, note[0] if note else _note(len(text)))


def _note(length: int) -> str:
    return f" … [{length:,} characters, cut]"


def _noted(text: str, note: str) -> str:
    return text[: MAX_LINE - len(note)] + note


def lines(text: str, redacted: RedactedStream) -> list[str]:
    """The next lines of a stream, each clean, redacted and short enough. A last newline begins no line."""
    parts = _BREAKS.split(text)
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    return [_shown(clean(part), redacted.line, redacted.redactor) for part in parts]


def _shown(text: str, redacted: Callable[[str], str], redactor: Redactor) -> str:
    """A clean text, redacted and short enough. One that was cut before may end in the middle of a credential."""
    if len(text) > MAX_LINE and (note := _NOTE.search(text)):
        return _noted(redactor.beginning(text[: note.start()]), note[0])
    return cut(redacted(text))


def scrub(value: Any, redactor: Redactor) -> Any:
    """JSON whose strings are clean, redacted and at most `MAX_LINE` long, and whose numbers JSON can hold."""
    if isinstance(value, dict):
        return {redactor.text(clean(str(key))): scrub(inner, redactor) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(inner, redactor) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (int, float)) or value is None:
        return value
    return _shown(clean(str(value)), redactor.text, redactor)


class LineSplitter:
    """Turns the output of a program into lines, as it comes. Keeps of a line no more than it takes to show it."""

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
        self._line += part[: max(0, KEPT - len(self._line))]

    def _take(self) -> str:
        line, length = self._line, self._length
        self._line, self._length = "", 0
        return clean(line) if length <= KEPT else clean(line) + _note(length)
