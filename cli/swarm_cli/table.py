"""Columns for people, and the same rows with tabs for programs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from swarm_cli.screen import Screen, cells, fit

_GAP = 2


class Column(NamedTuple):
    """`share`: the column takes this part of what the others leave. `right`: numbers line up at their end."""

    title: str
    share: int = 0
    right: bool = False


class Cell(NamedTuple):
    text: str
    style: str = ""


def lines(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], screen: Screen) -> Iterator[str]:
    """A table as wide as the terminal at most; nothing when there are no rows. The texts must be safe."""
    if not rows:
        return
    widths = _widths(columns, rows, screen.width)
    titles = [Cell(column.title, "dim") for column in columns]
    for row in (titles, *rows):
        yield _line(row, columns, widths, screen)


def tabbed(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A row a line, a tab between values, in full, without titles."""
    for row in rows:
        yield "\t".join(value.replace("\t", " ") for value in row)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], room: int) -> list[int]:
    widths = [max(cells(column.title), *(cells(row[at].text) for row in rows)) for at, column in enumerate(columns)]
    fixed = sum(width for width, column in zip(widths, columns, strict=True) if not column.share)
    left = room - fixed - _GAP * (len(columns) - 1)
    # Those that need less than their share leave the rest to the others, the neediest last.
    shared = sorted((at for at, column in enumerate(columns) if column.share), key=lambda at: widths[at])
    shares = sum(columns[at].share for at in shared)
    for at in shared:
        widths[at] = min(widths[at], max(left * columns[at].share // shares, cells(columns[at].title)))
        left -= widths[at]
        shares -= columns[at].share
    return widths


def _line(row: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], screen: Screen) -> str:
    parts = []
    for cell, column, width in zip(row, columns, widths, strict=True):
        text = fit(cell.text, width)
        space = " " * (width - cells(text))
        painted = screen.paint(cell.style, text)
        parts.append(space + painted if column.right else painted + space)
    return (" " * _GAP).join(parts).rstrip()
