"""Figures in rows, as HTML and as text: every value is text of somebody else's until it is escaped."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import pandas as pd  # type: ignore[import-untyped]

from swarm_notebooks.look import shown
from swarm_notebooks.units import Unit

MOST = 100  # rows
_CELL = "padding: 2px 12px 2px 0; border: 0; text-align: {side}; white-space: nowrap"
_TABLE = (
    "border-collapse: collapse; color: var(--jp-content-font-color1, inherit);"
    " font: 12px var(--jp-ui-font-family, system-ui), sans-serif; font-variant-numeric: tabular-nums"
)


class Table(NamedTuple):
    """`units` of the columns that hold numbers; the others hold text. The last row may be a sum."""

    rows: pd.DataFrame
    units: dict[str, Unit]

    def html(self) -> str:
        head = "".join(f"<th scope='col' style='{self._side(name)}'>{escape(name)}</th>" for name in self.rows)
        body = "".join(f"<tr>{self._cells(row)}</tr>" for row in self._shown())
        # MathJax would take `$x$` for a formula.
        return (
            f"<table class='mathjax_ignore tex2jax_ignore' style='{_TABLE}'>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{self._more()}"
        )

    def text(self) -> str:
        return "\n".join("  ".join(row) for row in [list(self.rows), *self._shown()])

    def _shown(self) -> list[list[str]]:
        return [
            [self._text(name, value) for name, value in zip(self.rows, row, strict=True)]
            for row in self.rows.head(MOST).itertuples(index=False)
        ]

    def _text(self, name: str, value: Any) -> str:
        if pd.isna(value):
            return "–"
        return self.units[name].text(float(value)) if name in self.units else shown(str(value), 48)

    def _cells(self, row: Sequence[str]) -> str:
        return "".join(
            f"<td style='{self._side(name)}'><bdi>{escape(text)}</bdi></td>"
            for name, text in zip(self.rows, row, strict=True)
        )

    def _side(self, name: str) -> str:
        return _CELL.format(side="right" if name in self.units else "left")

    def _more(self) -> str:
        more = len(self.rows) - MOST
        return f"<p>… and {more:,} rows more</p>" if more > 0 else ""
