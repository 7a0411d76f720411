"""Where output goes, and text made safe and short enough for it."""

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TextIO

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}

# CSI, then OSC, then the other strings, then the two-character sequences, of ECMA-48.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
)
_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x09}
_CONTROLS |= {code: f"\\u{code:04x}" for code in _BIDI}
_JSON_CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *_BIDI)}


class Screen(NamedTuple):
    """`terminal`: people look at it. `cursor`: it can be moved, to draw again. `width` in columns."""

    terminal: bool
    colour: bool
    width: int
    cursor: bool = False

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str]) -> "Screen":
        terminal = stream.isatty()
        cursor = terminal and environ.get("TERM") != "dumb"
        return cls(terminal, cursor and not environ.get("NO_COLOR"), _width(environ), cursor)

    def paint(self, style: str, text: str) -> str:
        """The text in the styles named (`bold red`), where there is colour."""
        if not (self.colour and style and text):
            return text
        return f"\x1b[{';'.join(_STYLES[word] for word in style.split())}m{text}\x1b[0m"


def _width(environ: Mapping[str, str]) -> int:
    if (columns := environ.get("COLUMNS", "")).isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def safe(text: str) -> str:
    """One line without what a terminal would obey: agents and their tools write what they like.

    Escape sequences are dropped; other control characters and those that turn the direction of text are spelled out.
    """
    if text.isascii() and text.isprintable():
        return text
    return _SEQUENCES.sub("", text).translate(_CONTROLS)


def safe_json(text: str) -> str:
    """The same JSON, with what a terminal would obey spelled as JSON's own escapes."""
    return text if text.isascii() else text.translate(_JSON_CONTROLS)


def first_line(text: str) -> str:
    """The first line that says something, safe, with its spaces closed up."""
    for line in text.splitlines():
        if words := line.split():
            return safe(" ".join(words))
    return ""


def cells(text: str) -> int:
    """How many columns a terminal needs for a safe text."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(char) for char in text)


def _cells_of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fit(text: str, width: int) -> str:
    """The text in at most so many columns, with an ellipsis where it was cut."""
    if cells(text) <= width:
        return text
    taken, used = [], 0
    for char in text:
        used += _cells_of(char)
        if used > width - 1:
            break
        taken.append(char)
    return "".join(taken).rstrip() + "…" if width > 0 else ""


def wrapped(text: str, screen: Screen, indent: int = 0) -> list[str]:
    """The lines of a safe text within a terminal, after an indent; a word that is longer stays whole."""
    if not screen.terminal or cells(text) <= _room(screen, indent):
        return [text]
    return joined(text.split(" "), screen, indent, between=" ")


def joined(parts: Iterable[str], screen: Screen, indent: int = 0, between: str = " · ") -> list[str]:
    """Safe parts side by side, in as many lines as a terminal needs. None is ever broken: it may be pasted."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{between}{part}" if lines else part
        fits = not screen.terminal or cells(longer) <= _room(screen, indent)
        lines[-1:] = [longer] if fits or not lines else [lines[-1], part]
    return lines


def _room(screen: Screen, indent: int) -> int:
    return max(20, screen.width - indent)


def write(text: str, stream: TextIO | None = None) -> None:
    """A line to stdout. Ends the program, as any Unix filter does, when nobody reads on."""
    stream = stream or sys.stdout
    try:
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        leave_broken_pipe()


def leave_broken_pipe() -> None:
    # The interpreter would flush once more at its end, and complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(BROKEN_PIPE)


BROKEN_PIPE = 128 + 13
"""What a shell reports for a program that SIGPIPE ended."""
