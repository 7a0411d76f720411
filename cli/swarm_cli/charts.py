"""Small charts of characters: bars side by side with labels, columns over an axis, a spark line.

Texts must be safe. Where the terminal has no blocks, bars are of `#`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TextIO

from swarm_cli.screen import Screen, cells, fit

HEIGHT = 6  # lines of columns
_LONGEST = 32  # columns of a bar's label
_WIDEST = 60  # columns of the longest bar
_NARROWEST = 8
_COLUMN = 10  # columns of the widest column, with the gap behind it
_GAP = 2


class Ink(NamedTuple):
    """`across`, `up`: parts of a character cell, from nothing to all of it. `nothing`: where there is no value."""

    across: str
    up: str
    side: str
    tick: str
    corner: str
    floor: str
    nothing: str


BLOCKS = Ink(" ▏▎▍▌▋▊▉█", " ▁▂▃▄▅▆▇█", "│", "┤", "└", "─", "–")
PLAIN = Ink(" -#", " .:#", "|", "+", "+", "-", "-")


class Bar(NamedTuple):
    """`value`: None where there is none. `notes` stand right-aligned behind the bar."""

    label: str
    value: float | None
    notes: tuple[str, ...] = ()


class Point(NamedTuple):
    """A column: its label is shown where there is room for it."""

    label: str
    value: float


def ink(stream: TextIO) -> Ink:
    """What the encoding of a stream has characters for."""
    try:
        "".join(BLOCKS).encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN
    return BLOCKS


def bars(rows: Sequence[Bar], screen: Screen, ink: Ink) -> Iterator[str]:
    """A line for each, the longest bar for what is largest; below zero in red. As wide as the screen at most."""
    if not rows:
        return
    notes = [max(cells(text) for text in column) for column in zip(*(row.notes for row in rows), strict=True)]
    room = screen.width - sum(width + _GAP for width in notes)
    label = min(max(cells(row.label) for row in rows), _LONGEST, max(1, room - _GAP - _NARROWEST))
    longest = max(_NARROWEST, min(_WIDEST, room - label - _GAP))
    most = max((abs(row.value) for row in rows if row.value is not None), default=0) or 1
    for row in rows:
        name = fit(row.label, label)
        bar = _across(abs(row.value or 0) / most, longest, ink)
        drawn = screen.paint("red" if (row.value or 0) < 0 else "cyan", bar) + " " * (longest - len(bar))
        texts = [" " * (width - cells(text)) + text for text, width in zip(row.notes, notes, strict=True)]
        yield (" " * _GAP).join([name + " " * (label - cells(name)), drawn, *texts]).rstrip()


def columns(points: Sequence[Point], shown: Callable[[float], str], screen: Screen, ink: Ink) -> Iterator[str]:
    """Columns from zero up, the largest value and its half at the side, labels below. `shown`: a value's text."""
    if not points:
        return
    most = max(point.value for point in points) or 1
    sides = {HEIGHT: shown(most), HEIGHT // 2: shown(most / 2)}
    margin = max(cells(text) for text in [*sides.values(), shown(0)])
    width = column_width(len(points), margin, screen)
    for line in range(HEIGHT, 0, -1):
        heights = (point.value / most * HEIGHT - (line - 1) for point in points)
        drawn = "".join(_up(height, ink) * max(1, width - 1) + " " * (width > 1) for height in heights)
        side = f"{sides.get(line, ''):>{margin}} {ink.tick if line in sides else ink.side}"
        yield f"{screen.paint('dim', side)}{screen.paint('cyan', drawn.rstrip())}".rstrip()
    yield screen.paint("dim", f"{shown(0):>{margin}} {ink.corner}{ink.floor * (width * len(points))}")
    yield screen.paint("dim", f"{'':>{margin}}  {_labels([point.label for point in points], width)}".rstrip())


def spark(values: Sequence[float], width: int, ink: Ink) -> str:
    """One line of columns, each `width` wide, as `columns` has them."""
    most = max(values, default=0) or 1
    return "".join(_up(value / most, ink) * max(1, width - 1) + " " * (width > 1) for value in values).rstrip()


def column_width(count: int, margin: int, screen: Screen) -> int:
    """Of one of so many columns beside a margin."""
    return max(1, min(_COLUMN, (screen.width - margin - _GAP) // count))


def _labels(names: Sequence[str], width: int) -> str:
    every = math.ceil((max(map(cells, names)) + 1) / width)
    return "".join(name.ljust(every * width) for name in names[::every])


def _across(part: float, longest: int, ink: Ink) -> str:
    steps = len(ink.across) - 1
    whole, rest = divmod(_steps(part, longest * steps), steps)
    return ink.across[-1] * whole + (ink.across[rest] if rest else "")


def _up(height: float, ink: Ink) -> str:
    return ink.up[_steps(min(1.0, max(0.0, height)), len(ink.up) - 1)]


def _steps(part: float, most: int) -> int:
    """What is not nothing is seen."""
    return max(1, round(part * most)) if part > 0 else 0
