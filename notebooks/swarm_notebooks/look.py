"""How pictures look: colours that everybody can tell apart, on any page, and text that is shown as it is."""

import unicodedata
from collections.abc import Mapping
from typing import Any

INK = "#797979"
"""Text and lines where the page names no colour: no grey has more contrast to white and near-black at once, 4.3."""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours, which colour-blind people can tell apart (https://jfly.uni-koeln.de/color/).

The first four have a contrast of 3 to white and to near-black; the others have it to near-black, and an outline of INK.
"""
HATCHES = ("", "", "///", "...", "\\\\\\", "xx")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", "-", "--")
REST = INK  # the colour of what is gathered under "others"

STYLE: Mapping[str, Any] = {
    "svg.fonttype": "none",  # letters stay letters: the page's font, selectable, searchable
    "text.parse_math": False,  # a label `$x$` is no formula
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "patch.linewidth": 0.5,
}

_LONGEST = 34


def shown(text: str, longest: int = _LONGEST) -> str:
    """Text from outside on one line: what cannot be seen, or would turn the line around, is a mark instead."""
    line = " ".join(text.split("\n"))
    line = "".join(mark if unicodedata.category(mark)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for mark in line)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def contrast(one: str, other: str) -> float:
    """Of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
