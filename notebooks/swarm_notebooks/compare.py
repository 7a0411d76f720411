"""Two sides that did the same work: models, or what a label tells apart, such as prompts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd  # type: ignore[import-untyped]
from ipywidgets import Dropdown, HBox, Layout, Widget  # type: ignore[import-untyped]

from swarm_api.analytics import Params
from swarm_notebooks.charts import Estimate, Measure, estimates
from swarm_notebooks.connection import Swarm
from swarm_notebooks.controls import PERIODS, days_of
from swarm_notebooks.intervals import mean, share
from swarm_notebooks.look import shown
from swarm_notebooks.panel import Panel, Shown
from swarm_notebooks.selection import Label, Selection, rows_of
from swarm_notebooks.tables import Table
from swarm_notebooks.units import DOLLARS, MICRO, MINUTES, SHARE, TASKS, TURNS, Unit

FEWEST = 5  # pairs from which on they are shown
_MOST = 200
KIND = "type and repository"
_FIELDS: Mapping[str, tuple[str, Unit]] = {
    "cost": ("dollars", DOLLARS),
    "duration": ("minutes", MINUTES),
    "turns": ("turns", TURNS),
}


class Contest(NamedTuple):
    """`one` and `other`: values of `by`, which is `model` or a label's name; `pair`: a label's name, or `KIND`."""

    period: str
    by: str
    one: str | None
    other: str | None
    pair: str


class ContestControls:
    """What tells the sides apart, the two sides, and what makes work the same."""

    def __init__(self, swarm: Swarm, by: str) -> None:
        self._values = {"model": _values(swarm, None), **{key: _values(swarm, key) for key in _keys(swarm)}}
        self._values = {name: found for name, found in self._values.items() if len(found) > 1 or name == "model"}
        keys = {f"label {shown(key)}": key for key in _keys(swarm)}
        first = by if by in self._values else "model"
        self.period = _dropdown("period", {name: name for name in PERIODS}, "all time")
        self.by = _dropdown("compare", {shown(name): name for name in self._values}, first)
        self.one = Dropdown(description="one", layout=Layout(width="260px"))
        self.other = Dropdown(description="other", layout=Layout(width="260px"))
        self.pair = _dropdown("same", {KIND: KIND, **keys}, _pairing(keys.values(), first))
        self._offer()
        self.by.observe(lambda _: self._offer(), names="value")
        parts = [self.period, self.by, self.one, self.other, self.pair]
        self.box: Widget = HBox(parts, layout=Layout(flex_flow="row wrap"))

    def selection(self) -> Contest:
        return Contest(self.period.value, self.by.value, self.one.value, self.other.value, self.pair.value)

    def on_change(self, changed: Callable[[], None]) -> None:
        for control in (self.period, self.by, self.one, self.other, self.pair):
            control.observe(lambda _: changed(), names="value")

    def _offer(self) -> None:
        """The two that most tasks have are the first to be compared."""
        values = self._values[self.by.value]
        for at, control in enumerate((self.one, self.other)):
            control.options = [(shown(value), value) for value in values]
            control.value = values[min(at, len(values) - 1)] if values else None


def sides(swarm: Swarm, by: str = "model") -> Panel[Contest]:
    """Two sides beside each other. `by`: `model`, or a label's name."""
    return Panel(ContestControls(swarm, by), lambda contest: compared(swarm, contest))


def compared(swarm: Swarm, contest: Contest) -> Shown:
    if contest.one is None or contest.one == contest.other:
        return Shown(note="There are no two sides to compare yet: choose two that differ.")
    found = {value: _tasks(swarm, contest, value) for value in (contest.one, contest.other) if value is not None}
    if any(rows.empty for rows in found.values()):
        return Shown(note="One of the sides has no task that ended in this time yet.")
    pairs = _pairs(*found.values())
    picture = estimates("Each side, per task, with 95 % intervals", _measures(found))
    note = f"{len(pairs)} kinds of work were done by both sides ({contest.pair})."
    pictures, table = [picture], _table(found, pairs)
    if len(pairs) >= FEWEST:
        name = f"{shown(contest.other or '', 24)} less {shown(contest.one, 24)}, on the same work"
        columns = [
            Measure(field, unit, {"difference": guess})
            for field, (_, unit) in _FIELDS.items()
            if (guess := _difference(pairs, field)) is not None
        ]
        pictures.append(estimates(name, columns))
        note += " Below: the differences on these alone. A line that crosses 0 shows no difference that is sure."
    else:
        note += f" From {FEWEST} on, differences on these alone are shown as well."
    return Shown(pictures, table, note)


def _tasks(swarm: Swarm, contest: Contest, value: str) -> pd.DataFrame:
    since, until = days_of(contest.period, swarm.now().date())
    group = "type" if contest.pair == KIND else f"label:{contest.pair}"
    side = {"model": value} if contest.by == "model" else {"label": Label(contest.by, value)}
    rows = rows_of("tasks", Selection(since, until, group, **side))
    work = "type || ' ' || coalesce(repo, '')" if contest.pair == KIND else "nullif(key, '(none)')"
    return swarm.query(
        f"SELECT {work} AS work, status = 'completed' AS completed, cost_micro_usd / {MICRO} AS cost,"
        f" duration_ms / 60000 AS duration, CAST(turns AS DOUBLE) AS turns FROM {rows.sql}"
        " WHERE status IN ('completed', 'failed') ORDER BY task_id",
        rows.params,
    )


def _measures(found: Mapping[str, pd.DataFrame]) -> list[Measure]:
    success = {key: guess for key, rows in found.items() if (guess := share(int(rows["completed"].sum()), len(rows)))}
    measures = [Measure("success", SHARE, success)]
    for field, (_, unit) in _FIELDS.items():
        guesses = {key: guess for key, rows in found.items() if (guess := mean(_numbers(rows[field])))}
        if guesses:
            measures.append(Measure(field, unit, guesses))
    return measures


def _pairs(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """A row for each piece of work that both sides did, with the means of each."""
    by = [rows.dropna(subset=["work"]).groupby("work")[list(_FIELDS)].mean() for rows in (one, other)]
    return by[0].add_suffix("_one").join(by[1].add_suffix("_other"), how="inner")


def _difference(pairs: pd.DataFrame, field: str) -> Estimate | None:
    return mean(_numbers(pairs[f"{field}_other"] - pairs[f"{field}_one"]))


def _table(found: Mapping[str, pd.DataFrame], pairs: pd.DataFrame) -> Table:
    rows = [
        {
            "side": side,
            "tasks": len(tasks),
            "on the same work": int(tasks["work"].isin(pairs.index).sum()),
            "success": float(tasks["completed"].astype("float64").mean()),
            **{
                f"{field} ({unit.axis})": float(tasks[field].astype("float64").mean())
                for field, (_, unit) in _FIELDS.items()
            },
        }
        for side, tasks in found.items()
    ]
    units = {f"{field} ({unit.axis})": unit for field, (_, unit) in _FIELDS.items()}
    return Table(pd.DataFrame(rows), {"tasks": TASKS, "on the same work": TASKS, "success": SHARE, **units})


def _numbers(values: "pd.Series[float]") -> Sequence[float]:
    found: list[float] = values.dropna().astype("float64").tolist()
    return found


def _keys(swarm: Swarm) -> list[str]:
    return list(swarm.query(f"SELECT key FROM labels GROUP BY key ORDER BY count(*) DESC, key LIMIT {_MOST}")["key"])


def _values(swarm: Swarm, label: str | None) -> list[str]:
    """Those that most tasks have first."""
    table = "tasks WHERE model IS NOT NULL" if label is None else "labels WHERE key = $key"
    params: Params = None if label is None else {"key": label}
    value = "model" if label is None else "value"
    found = swarm.query(
        f"SELECT {value} AS value FROM {table} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {_MOST}", params
    )
    return list(found["value"])


def _pairing(keys: Iterable[str], by: str) -> str:
    """A label that says which work it was, where there is one."""
    known = list(keys)
    return next((key for key in ("work", "case", "experiment") if key in known and key != by), KIND)


def _dropdown(name: str, choices: Mapping[str, str], value: str) -> Dropdown:
    return Dropdown(options=list(choices.items()), value=value, description=name, layout=Layout(width="260px"))
