"""What was spent, on what, what caches saved, where it is going, and what it would be at other prices."""

import pandas as pd  # type: ignore[import-untyped]

from swarm_notebooks.charts import Amounts, ranked, stacked
from swarm_notebooks.connection import Swarm
from swarm_notebooks.controls import SelectionControls
from swarm_notebooks.panel import Panel, Shown
from swarm_notebooks.prices import savings
from swarm_notebooks.selection import Selection, rows_of
from swarm_notebooks.tables import Table
from swarm_notebooks.units import CALLS, DOLLARS, MICRO, SHARE, TOKENS

NOTHING = "Nothing was spent in this time yet."
TOKEN_COLUMNS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")


def spending(swarm: Swarm) -> Panel[Selection]:
    """What the model cost by day, for whatever is selected."""
    return Panel(SelectionControls(swarm, "usage"), lambda selection: spent(swarm, selection))


def spent(swarm: Swarm, selection: Selection) -> Shown:
    rows = rows_of("usage", selection)
    found = swarm.query(
        f"""
        SELECT key, on_day, count(*) AS requests, sum(cost_micro_usd) AS cost
        FROM {rows.sql} GROUP BY ALL ORDER BY on_day
    """,
        rows.params,
    )
    if found.empty:
        return Shown(note=NOTHING)
    by = _by(selection.group)
    sums = found.groupby("key", dropna=False)[["requests", "cost"]].sum().sort_values("cost", ascending=False)
    sums = sums.reset_index()
    whole = int(sums["cost"].sum())
    table = pd.DataFrame(
        {
            selection.group.removeprefix("label:"): sums["key"],
            "requests": sums["requests"],
            "US dollars": sums["cost"] / MICRO,
            "share": sums["cost"] / (whole or 1),
        }
    )
    amounts = list(zip(table.iloc[:, 0], table["US dollars"], strict=True))
    return Shown(
        [
            stacked(f"Spend by day and {by}", by_day(found, "cost", MICRO), DOLLARS),
            ranked(f"Spend by {by}", amounts, DOLLARS),
        ],
        Table(table, {"requests": CALLS, "US dollars": DOLLARS, "share": SHARE}),
        f"{DOLLARS.text(whole / MICRO)} in all.",
    )


def caching(swarm: Swarm) -> Panel[Selection]:
    """What was read from the cache, and what that saved."""
    return Panel(SelectionControls(swarm, "usage"), lambda selection: saved(swarm, selection))


def saved(swarm: Swarm, selection: Selection) -> Shown:
    rows = rows_of("usage", selection)
    sums = ", ".join(f"sum({name}) AS {name}" for name in (*TOKEN_COLUMNS, "cost_micro_usd"))
    found = swarm.query(f"SELECT key, model, on_day, {sums} FROM {rows.sql} GROUP BY ALL ORDER BY on_day", rows.params)
    if found.empty:
        return Shown(note=NOTHING)
    # Prices are a model's, so savings are counted by model first.
    per_model = found.groupby("model", dropna=False)[[*TOKEN_COLUMNS, "cost_micro_usd"]].sum()
    found["saved"] = savings(found, per_model)
    found["read"] = found["cache_read_tokens"]
    found["fresh"] = found[["input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"]].sum(axis=1)
    sums_by = found.groupby("key", dropna=False)[["read", "fresh", "saved", "cost_micro_usd"]].sum().reset_index()
    sums_by = sums_by.sort_values("saved", ascending=False)
    by = _by(selection.group)
    table = pd.DataFrame(
        {
            selection.group.removeprefix("label:"): sums_by["key"],
            "read from cache (tokens)": sums_by["read"],
            "read in all (tokens)": sums_by["read"] + sums_by["fresh"],
            "cached share": sums_by["read"] / (sums_by["read"] + sums_by["fresh"]).clip(lower=1),
            "saved (US dollars)": sums_by["saved"],
            "paid (US dollars)": sums_by["cost_micro_usd"] / MICRO,
        }
    )
    units = {
        "read from cache (tokens)": TOKENS,
        "read in all (tokens)": TOKENS,
        "cached share": SHARE,
        "saved (US dollars)": DOLLARS,
        "paid (US dollars)": DOLLARS,
    }
    return Shown(
        [stacked(f"Saved by the cache, by day and {by}", by_day(found, "saved", 1), DOLLARS)],
        Table(table, units),
        f"Without the cache it had been {DOLLARS.text(float(found['saved'].sum()))} more.",
    )


def by_day(found: pd.DataFrame, column: str, part: int) -> Amounts:
    """`column` by key and day, divided by `part`."""
    sums = found.groupby(["key", "on_day"], dropna=False)[column].sum()
    amounts: dict[str, dict[object, float]] = {}
    for (key, day), value in sums.items():
        amounts.setdefault(key, {})[day] = float(value) / part
    return amounts  # type: ignore[return-value]


def _by(group: str) -> str:
    return {"repo": "repository"}.get(group, group.removeprefix("label:"))
