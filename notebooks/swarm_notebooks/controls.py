"""The controls of the notebooks: which time, by what, and what alone."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ipywidgets import Dropdown, HBox, Layout, Widget  # type: ignore[import-untyped]

from swarm_notebooks.connection import Swarm
from swarm_notebooks.look import shown
from swarm_notebooks.selection import Label, Selection, Table, rows_of

_MOST = 200  # choices of one control
_DAYS = {"last 7 days": 7, "last 30 days": 30, "last 90 days": 90, "last 365 days": 365}
PERIODS = ("today", "this week", "this month", *_DAYS, "all time")
_NAMES = {"model": "model", "type": "type", "repo": "repository"}


class SelectionControls:
    """Period, grouping and filters, with the choices that the hub's rows of `table` have."""

    def __init__(self, swarm: Swarm, table: Table, *, group: bool = True, period: str = "last 30 days") -> None:
        self._today: Callable[[], date] = lambda: swarm.now().date()
        labels = _labels(swarm)
        self.period = _dropdown("period", {name: name for name in PERIODS}, period)
        self.group = _dropdown("group by", _groups(labels), "model")
        self.filters: dict[str, Dropdown] = {
            name: _dropdown(_NAMES[name], {"all": None, **_choices(swarm, table, name)}, None) for name in _NAMES
        }
        every = {f"{shown(key)} = {shown(value)}": Label(key, value) for key, value in labels}
        self.filters["label"] = _dropdown("label", {"all": None, **every}, None)
        parts = [self.period, *([self.group] if group else []), *self.filters.values()]
        self.box: Widget = HBox(parts, layout=Layout(flex_flow="row wrap"))

    def selection(self) -> Selection:
        since, until = days_of(self.period.value, self._today())
        chosen = {name: control.value for name, control in self.filters.items()}
        return Selection(since, until, self.group.value, **chosen)

    def on_change(self, changed: Callable[[], None]) -> None:
        for control in (self.period, self.group, *self.filters.values()):
            control.observe(lambda _: changed(), names="value")


def days_of(period: str, today: date) -> tuple[date | None, date | None]:
    """The first and the last day of a period; None: no bound."""
    if period == "all time":
        return None, None
    if period in _DAYS:
        return today - timedelta(days=_DAYS[period] - 1), today
    first = {"today": today, "this week": today - timedelta(days=today.weekday()), "this month": today.replace(day=1)}
    return first[period], today


def _dropdown(name: str, choices: Mapping[str, Any], value: Any) -> Dropdown:
    at = list(choices.values()).index(value)  # a `value` of None would select nothing, and show that
    return Dropdown(
        options=list(choices.items()),
        index=at,
        description=name,
        layout=Layout(width="250px", margin="2px 8px 2px 0"),
        style={"description_width": "72px"},
    )


def _groups(labels: Sequence[tuple[str, str]]) -> dict[str, str]:
    keys = dict.fromkeys(key for key, _ in labels)
    return {**{name: key for key, name in _NAMES.items()}, **{f"label {shown(key)}": f"label:{key}" for key in keys}}


def _choices(swarm: Swarm, table: Table, name: str) -> dict[str, str]:
    rows = rows_of(table, Selection(group=name))
    found = swarm.query(
        f"SELECT key FROM {rows.sql} WHERE key IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {_MOST}",
        rows.params,
    )
    return {shown(key): key for key in found["key"]}


def _labels(swarm: Swarm) -> list[tuple[str, str]]:
    found = swarm.query(f"SELECT key, value FROM labels GROUP BY ALL ORDER BY key, count(*) DESC, value LIMIT {_MOST}")
    return list(zip(found["key"], found["value"], strict=True))
