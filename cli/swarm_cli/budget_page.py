"""The budget on the screen: a line for each limit, and one that says how it stands. Works on the API's JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from swarm_cli import look
from swarm_cli.screen import Screen, cells, fit, joined, safe, wrapped
from swarm_cli.table import Cell, Column, lines

Json = Mapping[str, Any]

STATE = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "exceeded": ("✗", "red")}
_SENTENCE = {
    "ok": "within all limits",
    "warning": "80 % or more of a limit is spent",
}
_COLUMNS: tuple[Column, ...] = (
    Column("BUDGET", share=1), Column("LIMIT", right=True), Column("SPENT", right=True),
    Column("RESERVED", right=True), Column("LEFT", right=True), Column("AT PACE", right=True), Column("STATE"),
)  # fmt: skip
_SPENT, _RESERVED, _FREE = "█", "▒", "░"
_SHORTEST, _LONGEST = 6, 24  # columns of a bar
_LONGEST_NAME = 24
_DROPPED = ("AT PACE", "RESERVED", "STATE")  # the first goes first where a terminal is narrow
_NAMED = 3  # limits at most, in a sentence


def page(budget: Json, screen: Screen) -> Iterator[str]:
    """As wide as the terminal at most. The bars take what the numbers leave."""
    limits = list(_limits(budget))
    columns, rows = _that_fit([_row(name, standing) for name, standing in limits], screen.width)
    room = screen.width - _width(columns, rows) - 2
    bars = [bar(standing, min(room, _LONGEST)) for _, standing in limits] if room >= _SHORTEST else []
    if bars:
        columns = (*columns, Column(""))
        styles = (STATE[standing["state"]][1] for _, standing in limits)
        rows = [(*row, Cell(drawn, style)) for row, drawn, style in zip(rows, bars, styles, strict=True)]
    yield from _head(budget, screen)
    yield ""
    yield from lines(columns, rows, screen)
    yield ""
    yield from (screen.paint("yellow", line) for line in _alarm(limits, screen))
    yield from (screen.paint("dim", line) for told in _foot(budget, columns) for line in wrapped(told, screen))


def _that_fit(rows: list[tuple[Cell, ...]], width: int) -> tuple[tuple[Column, ...], list[tuple[Cell, ...]]]:
    """The columns there is room for beside the names of the limits."""
    columns = _COLUMNS
    for title in _DROPPED:
        if _width(columns, rows) <= width:
            break
        at = next(at for at, column in enumerate(columns) if column.title == title)
        columns = columns[:at] + columns[at + 1 :]
        rows = [row[:at] + row[at + 1 :] for row in rows]
    return columns, rows


def today(budget: Json, screen: Screen) -> Iterator[str]:
    """How the day stands, and what else there is to know: a line, or more where a terminal is narrow."""
    day, state = budget["daily"], budget["state"]
    parts = [f"today {look.dollars(day['spentCents'])} of {look.dollars(day['limitCents'])}"]
    if day["reservedCents"]:
        parts.append(f"{look.dollars(day['reservedCents'])} reserved")
    parts += [part for part in (_waits(budget), _sentence(budget) if state != "ok" else "") if part]
    style = "dim" if state == "ok" else STATE[state][1]
    yield from (screen.paint(style, line) for line in joined(parts, screen))


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


def _width(columns: tuple[Column, ...], rows: list[tuple[Cell, ...]]) -> int:
    """Columns that the rows need, titles and gaps included."""
    texts = [[column.title for column in columns], *([cell.text for cell in row] for row in rows)]
    return sum(max(map(cells, column)) for column in zip(*texts, strict=True)) + 2 * (len(columns) - 1)


def bar(standing: Json, width: int) -> str:
    """How much of a limit is spent, and how much of the rest is reserved. Only what is spent whole is full."""
    limit = max(1, standing["limitCents"])
    spent = _part(standing["spentCents"], limit, width)
    reserved = min(_part(standing["reservedCents"], limit, width), width - spent)
    return _SPENT * spent + _RESERVED * reserved + _FREE * (width - spent - reserved)


def _part(amount: int, limit: int, width: int) -> int:
    """Columns, rounded down; for more than nothing at least one."""
    return min(width, max(amount * width // limit, 1 if amount > 0 else 0))


def _head(budget: Json, screen: Screen) -> Iterator[str]:
    sign, style = STATE[budget["state"]]
    first, *more = joined((part for part in (_sentence(budget), _waits(budget)) if part), screen, 2)
    yield f"{screen.paint(style, sign)} {first}"
    yield from (f"  {line}" for line in more)


def _sentence(budget: Json) -> str:
    """How the worst of the limits stand; those that are spent by their names."""
    return _SENTENCE.get(budget["state"]) or f"spent: {' · '.join(_spent(budget))}"


def _spent(budget: Json) -> Iterator[str]:
    names = [name.split(" · ", 1)[-1] for name, standing in _limits(budget) if standing["state"] == "exceeded"]
    yield from names[:_NAMED]
    if len(names) > _NAMED:
        yield f"{len(names) - _NAMED} more"


def _alarm(limits: list[tuple[str, Json]], screen: Screen) -> Iterator[str]:
    """What will be short, if it goes on so; what is spent already is told elsewhere."""
    short = [(name, each) for name, each in limits if _will_be_short(each) and each["state"] != "exceeded"]
    for name, standing in short[:_NAMED]:
        amounts = f"{look.dollars(standing['forecastCents'])} of {look.dollars(standing['limitCents'])}"
        said = f"at the pace of the last hour, the {name.replace(' · ', ' of ', 1)} would come to {amounts} by its end"
        first, *more = wrapped(said, screen, 2)
        yield f"! {first}"
        yield from (f"  {line}" for line in more)


def _waits(budget: Json) -> str:
    waiting = budget["waiting"]
    return f"{look.plural(waiting, 'task')} {'waits' if waiting == 1 else 'wait'} for money" if waiting else ""


def _foot(budget: Json, columns: tuple[Column, ...]) -> Iterator[str]:
    ends = [look.left(budget[span]["resetsAt"]) for span in ("daily", "weekly")]
    yield f"the day ends in {ends[0]}, the week in {ends[1]} ({safe(budget['timeZone'])})"
    titles = [column.title for column in columns]
    if "" in titles:
        yield f"{_SPENT} spent {_RESERVED} reserved for agents that run {_FREE} left"
    if "AT PACE" in titles:
        yield "at pace: what it comes to by its end, at this pace (that of the last hour)"
