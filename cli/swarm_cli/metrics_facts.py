"""Figures of a period beside those of the one before."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from swarm_cli import look
from swarm_cli.charts import Ink
from swarm_cli.screen import Screen
from swarm_cli.table import Cell, Column, lines

_NOW = {"day": "today", "week": "week", "month": "month"}
_BEFORE = {"day": "yesterday", "week": "before", "month": "before"}
_MOST = 10  # times as much: what is more is no percentage any more
_BETWEEN = 4
_CACHES = ("cacheRead", "cacheWrite5m", "cacheWrite1h")


class Fact(NamedTuple):
    name: str
    now: str
    before: str
    change: str


def facts(answer: Any, screen: Screen, ink: Ink) -> Iterator[str]:
    """A table of them; two side by side where there is room."""
    left, right = _money_and_tasks(answer), _work(answer, ink)
    heads = ("", _NOW[answer["period"]], _BEFORE[answer["period"]], "change")
    wide = screen._replace(width=10_000)
    tables = [list(lines(_columns(heads), _cells(rows), wide)) for rows in (left, right)]
    plain = [list(lines(_columns(heads), _cells(rows), wide._replace(colour=False))) for rows in (left, right)]
    first, second = (max(map(len, table)) for table in plain)
    if first + _BETWEEN + second > screen.width:
        yield from lines(_columns(heads), _cells([*left, *right]), wide)
        return
    for one, other, bare in zip(tables[0], tables[1], plain[0], strict=True):
        yield f"{one}{' ' * (first - len(bare) + _BETWEEN)}{other}"


def _columns(heads: Sequence[str]) -> list[Column]:
    return [Column(head, right=bool(head)) for head in heads]


def _cells(rows: Sequence[Fact]) -> list[list[Cell]]:
    return [[Cell(row.name, "dim"), Cell(row.now, "bold"), Cell(row.before), Cell(row.change, "dim")] for row in rows]


def _money_and_tasks(answer: Any) -> list[Fact]:
    now, before = answer["totals"], answer["previous"]["totals"]
    counted = {"tasks": "submitted", "completed": "completed", "failed": "failed", "cancelled": "cancelled",
               "requests": "requests"}  # fmt: skip
    spent = _fact("spent", now["costMicroUsd"], before["costMicroUsd"], look.money)
    return [spent, *(_fact(word, now[name], before[name], "{:,}".format) for name, word in counted.items())]


def _work(answer: Any, ink: Ink) -> list[Fact]:
    now, before = answer["totals"], answer["previous"]["totals"]
    rates = [_percent(side["successRate"], ink) for side in (answer, answer["previous"])]
    durations, old = answer["durationMs"], answer["previous"]["durationMs"]
    read = [sum(totals[name] for name in ("input", *_CACHES)) for totals in (now, before)]
    cached = [_percent(_part(totals["cacheRead"], of), ink) for totals, of in zip((now, before), read, strict=True)]

    def shown(milliseconds: int | None) -> str:
        return ink.nothing if milliseconds is None else look.duration(milliseconds / 1000)

    return [
        Fact("success", rates[0], rates[1], ""),
        _fact("half within", durations["p50"], old["p50"], shown),
        _fact("95% within", durations["p95"], old["p95"], shown),
        _fact("tokens in", read[0], read[1], look.count),
        Fact("from cache", cached[0], cached[1], ""),
        _fact("tokens out", now["output"], before["output"], look.count),
    ]


def _fact(name: str, now: Any, before: Any, shown: Callable[[Any], str]) -> Fact:
    return Fact(name, shown(now), shown(before), _change(now, before))


def _percent(rate: float | None, ink: Ink) -> str:
    return ink.nothing if rate is None else f"{rate:.0%}"


def _part(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _change(now: float | None, before: float | None) -> str:
    """`+50%`, `-3%`, `x12`; nothing where there is nothing to compare with."""
    if not before or now is None:
        return ""
    times = now / before
    return f"x{times:,.0f}" if times >= _MOST else f"{times - 1:+.0%}"
