"""Rows of the board as HTML. All that comes from outside is escaped."""

from collections.abc import Iterable
from html import escape

from swarm_api.budget import Budget
from swarm_api.ids import short
from swarm_api.words import TaskStatus
from swarm_notebooks.live_board import Row
from swarm_notebooks.look import shown
from swarm_notebooks.units import DOLLARS, MICRO, SECONDS, TOKENS

_MARKS: dict[TaskStatus, str] = {"running": "●", "pending": "○", "completed": "✓", "failed": "✗", "cancelled": "–"}
HEAD = ("task", "status", "model", "turns", "tokens", "cost", "time")
WIDTHS = "minmax(12em, 3fr) 12em minmax(8em, 1fr) 4em 6em 6em 8em"
_TEXT = "color: var(--jp-content-font-color1, inherit); line-height: 1.6"
_GRID = f"display: grid; grid-template-columns: {WIDTHS}; gap: 0 1em; padding-right: 1em; {_TEXT}"
_CELL = "overflow: hidden; text-overflow: ellipsis; white-space: nowrap"
_NUMBER = f"{_CELL}; text-align: right; font-variant-numeric: tabular-nums"
_LONGEST = 80


def head() -> str:
    """The names of the columns."""
    return _line(HEAD, "font-weight: bold")


def line(row: Row) -> str:
    """One task."""
    return _line(cells(row), "")


def cells(row: Row) -> tuple[str, ...]:
    """Its text, not escaped."""
    task = row.task
    name = shown(task.name or task.prompt, _LONGEST)
    waits = f" ({', '.join(each.reason for each in task.blocked_by)})" if task.blocked_by else ""
    return (
        f"{name} · {short(task.id)}",
        f"{_MARKS[task.status]} {task.status}{waits}",
        shown(task.model, _LONGEST),
        str(row.turns or ""),
        TOKENS.short(row.tokens) if row.tokens else "",
        DOLLARS.text(row.cost_micro_usd / MICRO) if row.cost_micro_usd else "",
        SECONDS.text(row.seconds) if row.seconds is not None else "",
    )


def table(rows: Iterable[Row], note: str) -> str:
    """All of it without a kernel: as it was when it was last shown."""
    titles = "".join(f"<th>{escape(title)}</th>" for title in HEAD)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells(row)) + "</tr>" for row in rows)
    return f"<p>{escape(note)}</p><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def budget_text(budget: Budget | None) -> str:
    """One line of what is spent of the day's and the week's limit."""
    if budget is None:
        return ""
    spans = (("today", budget.daily), ("this week", budget.weekly))
    parts = [f"{name} {_cents(at.spent_cents)} of {_cents(at.limit_cents)}" for name, at in spans]
    state = "" if budget.state == "ok" else f" · {budget.state}"
    return f"Spent: {', '.join(parts)}{state}"


def note(text: str, *, bad: bool = False) -> str:
    """A sentence."""
    colour = "color: var(--jp-error-color1, #c0392b)" if bad else _TEXT
    return f'<div style="{colour}">{escape(text)}</div>'


def _line(values: tuple[str, ...], style: str) -> str:
    made = (
        f'<div style="{_CELL if at < 3 else _NUMBER}" title="{escape(value)}">{escape(value)}</div>'
        for at, value in enumerate(values)
    )
    return f'<div style="{_GRID}; {style}">{"".join(made)}</div>'


def _cents(cents: int) -> str:
    return DOLLARS.text(cents / 100)
