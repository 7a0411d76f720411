"""What numbers are of: how an axis names it, and how one is written."""

from collections.abc import Callable
from typing import NamedTuple

MICRO = 1_000_000


class Unit(NamedTuple):
    """`axis` names it on an axis; `text` writes a number exactly, `short` in few characters."""

    axis: str
    text: Callable[[float], str]
    short: Callable[[float], str]


def _dollars(value: float) -> str:
    sign = "-" if value < 0 else ""
    return f"{sign}${abs(value):,.2f}" if abs(value) >= 0.1 or value == 0 else f"{sign}${abs(value):.4f}"


def _few(value: float) -> str:
    for size, mark in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {mark}"
    return f"{value:,.3g}"


def _dollars_few(value: float) -> str:
    if value == 0 or abs(value) >= 10_000:
        return f"${_few(value).replace(' ', '')}"
    return f"${value:,.0f}" if abs(value) >= 10 or value == round(value) else _dollars(value)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {whole % 60:02d} s"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"


DOLLARS = Unit("US dollars", _dollars, _dollars_few)
SECONDS = Unit("seconds", _duration, _duration)
MINUTES = Unit("minutes", lambda value: _duration(value * 60), lambda value: _few(value))
TASKS = Unit("tasks", _whole, _few)
CALLS = Unit("calls", _whole, _few)
TOKENS = Unit("tokens", _whole, _few)
SHARE = Unit("percent", _percent, lambda value: f"{value:.0%}")
TURNS = Unit("turns", lambda value: f"{value:,.1f}", _few)
EVENTS = Unit("events", _whole, _few)


def days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
