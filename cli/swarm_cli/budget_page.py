"""The budget on the screen: a line for each limit, and one that says how it stands. Works on the API's JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from swarm_cli import look
from swarm_cli.screen import Screen, cells, fit, safe
from swarm_cli.table import Cell, Column, lines

Json = Mapping[str, Any]

STATE = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "exceeded": ("✗", "red")}
_SENTENCE = {
    "ok": "within all limits",
    "warning": "80 % or more of a limit is spent",
    "exceeded": "a limit is spent: what has no room under it waits",
}
_COLUMNS = (
    Column("BUDGET", share=1), Column("LIMIT", right=True), Column("SPENT", right=True),
    Column("RESERVED", right=True), Column("LEFT", right=True), Column("FORECAST", right=True), Column("STATE"),
)  # fmt: skip
_SPENT, _RESERVED, _FREE = "█", "▒", "░"
_SHORTEST, _LONGEST = 6, 24  # columns of a bar
_LONGEST_NAME = 24


def page(budget: Json, screen: Screen) -> Iterator[str]:
    """As wide as the terminal at most. The bars take what the numbers leave."""
    limits = list(_limits(budget))
    rows = [_row(name, standing) for name, standing in limits]
    room = screen.width - _width(rows) - 2
    bars = [bar(standing, min(room, _LONGEST)) for _, standing in limits] if room >= _SHORTEST else []
    columns = (*_COLUMNS, Column("")) if bars else _COLUMNS
    if bars:
        styles = (STATE[standing["state"]][1] for _, standing in limits)
        rows = [(*row, Cell(drawn, style)) for row, drawn, style in zip(rows, bars, styles, strict=True)]
    yield _head(budget, screen)
    yield ""
    yield from lines(columns, rows, screen)
    yield ""
    yield from (screen.paint("dim", line) for line in _foot(budget, bool(bars)))


def today(budget: Json, screen: Screen) -> str:
    """How the day stands, in one line, and what else there is to know."""
    day, state = budget["daily"], budget["state"]
    parts = [f"today {look.dollars(day['spentCents'])} of {look.dollars(day['limitCents'])}"]
    if day["reservedCents"]:
        parts.append(f"{look.dollars(day['reservedCents'])} reserved")
    parts += [part for part in (_waits(budget), _SENTENCE[state] if state != "ok" else "") if part]
    return screen.paint("dim" if state == "ok" else STATE[state][1], " · ".join(parts))


def values(budget: Json) -> Iterator[tuple[str, ...]]:
    """The same for programs: period, label, cents, the state, and when it begins anew."""
    spans = [("day", budget["daily"]), ("week", budget["weekly"])]
    for period, standing in [*spans, *((standing["period"], standing) for standing in budget["labels"])]:
        amounts = (standing[field] for field in ("limitCents", "spentCents", "reservedCents", "remainingCents"))
        forecast = str(standing["forecastCents"])
        label = safe(standing.get("label", ""))
        yield (period, label, *map(str, amounts), forecast, standing["state"], standing["resetsAt"])


def _limits(budget: Json) -> Iterator[tuple[str, Json]]:
    yield "day", budget["daily"]
    yield "week", budget["weekly"]
    for standing in budget["labels"]:
        yield fit(f"{standing['period']} · {safe(standing['label'])}", _LONGEST_NAME), standing


def _row(name: str, standing: Json) -> tuple[Cell, ...]:
    state = standing["state"]
    sign, style = STATE[state]
    return (
        Cell(name, "bold"),
        Cell(look.dollars(standing["limitCents"])),
        Cell(look.dollars(standing["spentCents"]), style if state != "ok" else ""),
        Cell(look.dollars(standing["reservedCents"])),
        Cell(look.dollars(standing["remainingCents"])),
        Cell(look.dollars(standing["forecastCents"]), "yellow" if _will_be_short(standing) else ""),
        Cell(f"{sign} {state}", style),
    )


def _will_be_short(standing: Json) -> bool:
    return bool(standing["forecastCents"] > standing["limitCents"])


def _width(rows: list[tuple[Cell, ...]]) -> int:
    """Columns that the rows need, titles and gaps included."""
    texts = [[column.title for column in _COLUMNS], *([cell.text for cell in row] for row in rows)]
    return sum(max(map(cells, column)) for column in zip(*texts, strict=True)) + 2 * (len(_COLUMNS) - 1)


def bar(standing: Json, width: int) -> str:
    """How much of a limit is spent, and how much of the rest is reserved. Only what is spent whole is full."""
    limit = max(1, standing["limitCents"])
    spent = _part(standing["spentCents"], limit, width)
    reserved = min(_part(standing["reservedCents"], limit, width), width - spent)
    return _SPENT * spent + _RESERVED * reserved + _FREE * (width - spent - reserved)


def _part(amount: int, limit: int, width: int) -> int:
    """Columns, rounded down; for more than nothing at least one."""
    return min(width, max(amount * width // limit, 1 if amount > 0 else 0))


def _head(budget: Json, screen: Screen) -> str:
    sign, style = STATE[budget["state"]]
    said = " · ".join(part for part in (_SENTENCE[budget["state"]], _waits(budget)) if part)
    return f"{screen.paint(style, sign)} {said}"


def _waits(budget: Json) -> str:
    waiting = budget["waiting"]
    return f"{look.plural(waiting, 'task')} {'waits' if waiting == 1 else 'wait'} for money" if waiting else ""


def _foot(budget: Json, with_bars: bool) -> Iterator[str]:
    ends = [look.left(budget[span]["resetsAt"]) for span in ("daily", "weekly")]
    yield f"the day ends in {ends[0]}, the week in {ends[1]} ({safe(budget['timeZone'])})"
    if with_bars:
        yield f"{_SPENT} spent {_RESERVED} reserved for agents that run {_FREE} left"
