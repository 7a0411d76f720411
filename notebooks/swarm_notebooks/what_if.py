"""What the same work would have cost at other prices."""

from collections.abc import Callable, Mapping

import pandas as pd  # type: ignore[import-untyped]
from ipywidgets import BoundedFloatText, Dropdown, HBox, Layout, VBox, Widget  # type: ignore[import-untyped]

from swarm_notebooks.charts import ranked
from swarm_notebooks.connection import Swarm
from swarm_notebooks.controls import PERIODS, days_of
from swarm_notebooks.look import shown
from swarm_notebooks.panel import Panel, Shown
from swarm_notebooks.prices import Price, cost_at, paid
from swarm_notebooks.selection import Selection, rows_of
from swarm_notebooks.tables import Table
from swarm_notebooks.units import DOLLARS, MICRO

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
_MOST = 8  # models with a price to change
_DIGITS = 4


class Wished:
    """A period, and for each model two prices; one that nobody changed is what was paid, and not rounded."""

    def __init__(self, models: Mapping[str, Price]) -> None:
        self._period = Dropdown(options=PERIODS, value="last 30 days", description="period")
        self._fields = {
            model: (_field("input", price.input), _field("output", price.output))
            for model, price in list(models.items())[:_MOST]
        }
        self._first = {model: tuple(field.value for field in fields) for model, fields in self._fields.items()}
        rows = [HBox([_name(model), *fields]) for model, fields in self._fields.items()]
        self.box: Widget = VBox([self._period, *rows])

    def selection(self) -> tuple[str, dict[str, tuple[float | None, float | None]]]:
        """The period, and new prices in dollars per million tokens; None: as it was."""
        changed = {}
        for model, fields in self._fields.items():
            now = [field.value for field in fields]
            changed[model] = tuple(
                None if value == first else value for value, first in zip(now, self._first[model], strict=True)
            )
        return self._period.value, changed  # type: ignore[return-value]

    def on_change(self, changed: Callable[[], None]) -> None:
        for field in (self._period, *(field for fields in self._fields.values() for field in fields)):
            field.observe(lambda _: changed(), names="value")


def what_if(swarm: Swarm) -> Panel[tuple[str, dict[str, tuple[float | None, float | None]]]]:
    """Two prices for each model, to be changed, and what they change."""
    tokens = _tokens(swarm, Selection())
    return Panel(Wished(paid(tokens)), lambda wished: repriced(swarm, *wished))


def repriced(swarm: Swarm, period: str, wished: Mapping[str, tuple[float | None, float | None]]) -> Shown:
    since, until = days_of(period, swarm.now().date())
    tokens = _tokens(swarm, Selection(since, until))
    if tokens.empty:
        return Shown(note="Nothing was spent in this time yet.")
    was = paid(tokens)
    prices = {}
    for model, price in was.items():
        given = wished.get(model, (None, None))
        prices[model] = Price(*(old if new is None else new for old, new in zip(price, given, strict=True)))
    before = tokens["cost_micro_usd"].astype("float64") / MICRO
    after = cost_at(tokens, prices)
    table = pd.DataFrame(
        {
            "model": tokens.index,
            "paid": before.array,
            "at these prices": after.array,
            "difference": (after - before).array,
        }
    )
    bars = [("as it was", float(before.sum())), ("at these prices", float(after.sum()))]
    difference = float(after.sum() - before.sum())
    change = f"{DOLLARS.text(abs(difference))} {'more' if difference >= 0 else 'less'}"
    return Shown(
        [ranked("Cost of the same work", bars, DOLLARS)],
        Table(table, dict.fromkeys(("paid", "at these prices", "difference"), DOLLARS)),
        f"At these prices the same work costs {change}." if abs(difference) >= 0.005 else "This is what was paid.",
    )


def _tokens(swarm: Swarm, selection: Selection) -> pd.DataFrame:
    """A row for each model, the dearest first."""
    rows = rows_of("usage", selection)
    sums = ", ".join(f"sum({name}) AS {name}" for name in (*_TOKENS, "cost_micro_usd"))
    found = swarm.query(
        f"SELECT model, {sums} FROM {rows.sql} WHERE model IS NOT NULL GROUP BY 1 ORDER BY sum(cost_micro_usd) DESC",
        rows.params,
    )
    return found.set_index("model")


def _field(name: str, value: float) -> BoundedFloatText:
    return BoundedFloatText(
        value=round(value, _DIGITS),
        min=0,
        max=100_000,
        step=0.5,
        description=name,
        layout=Layout(width="200px"),
        tooltip=f"dollars for a million tokens of {name}",
    )


def _name(model: str) -> Widget:
    from ipywidgets import Label

    return Label(f"{shown(model)}, $ per million tokens", layout=Layout(width="360px"))
