"""What the notebooks show adds up to what the hub says, to the cent; and nothing yet is no error."""

from collections.abc import Callable

import pytest

from swarm_notebooks import compare, costs, forecast, operations, what_if
from swarm_notebooks.connection import Swarm
from swarm_notebooks.controls import days_of
from swarm_notebooks.panel import Shown
from swarm_notebooks.prices import Price
from swarm_notebooks.selection import Label, Selection

GROUPS = ("model", "type", "repo", "label:team")
LOOKS: dict[str, Callable[[Swarm, Selection], Shown]] = {
    "spending": costs.spent,
    "caching": costs.saved,
    "outcomes": operations.ended,
    "tools": operations.used,
    "conflicts": operations.collided,
    "slowest": operations.longest,
    "durations": lambda swarm, selection: operations.taken(swarm, selection, "duration_ms", "Duration"),
}


def cents(dollars: float) -> int:
    return round(dollars * 100)


def drawn(shown: Shown, picture: int) -> float:
    """The sum of a picture's bars."""
    bars = shown.pictures[picture].figure.axes[0].patches
    return float(sum(bar.get_height() if picture == 0 else bar.get_width() for bar in bars))  # type: ignore[attr-defined]


@pytest.mark.parametrize("group", GROUPS)
def test_spend_is_what_the_hub_says_by_any_group(swarm: Swarm, group: str) -> None:
    since, until = days_of("this month", swarm.now().date())
    shown = costs.spent(swarm, Selection(since, until, group))
    said = swarm.metrics("month").totals.cost_cents
    assert shown.table is not None
    assert cents(shown.table.rows["US dollars"].sum()) == said
    assert cents(drawn(shown, 0)) == said
    assert cents(drawn(shown, 1)) == said


def test_a_filter_leaves_the_rest_out(swarm: Swarm) -> None:
    team = swarm.query("SELECT min(value) AS v FROM labels WHERE key = 'team'")["v"][0]
    shown = costs.spent(swarm, Selection(label=Label("team", team)))
    said = swarm.query(
        "SELECT sum(cost_micro_usd) AS c FROM usage JOIN labels USING (task_id) WHERE key = 'team' AND value = ?",
        [team],
    )
    assert shown.table is not None
    assert cents(shown.table.rows["US dollars"].sum()) == cents(int(said["c"][0]) / 1e6)


def test_the_week_is_what_the_budget_counts(swarm: Swarm) -> None:
    shown = forecast.expected(swarm)
    line = shown.pictures[0].figure.axes[0].lines[0]
    assert cents(float(line.get_ydata()[-1])) == swarm.budget().weekly.spent_cents  # type: ignore[index,arg-type]


def test_nothing_changes_at_the_prices_that_were_paid(swarm: Swarm) -> None:
    table = what_if.repriced(swarm, "all time", {}).table
    assert table is not None
    assert cents(table.rows["at these prices"].sum()) == cents(table.rows["paid"].sum())


def test_a_model_that_costs_nothing_saves_what_it_cost(swarm: Swarm) -> None:
    before = what_if.repriced(swarm, "all time", {}).table
    assert before is not None
    model, paid = before.rows["model"][0], before.rows["paid"][0]
    after = what_if.repriced(swarm, "all time", {model: Price(0, 0)}).table
    assert after is not None
    assert cents(after.rows["difference"].sum()) == -cents(paid)


def test_models_are_paired_by_the_work_they_both_did(swarm: Swarm) -> None:
    shown = compare.compared(swarm, compare.Contest("all time", "variant", "a", "b", "work"))
    both = int(str(shown.note).split()[0])  # how many there are depends on the day of the week
    assert len(shown.pictures) == 1 + (both >= compare.FEWEST)
    assert shown.table is not None
    assert shown.table.rows["on the same work"].nunique() == 1


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_yet_is_said(empty: Swarm, look: str) -> None:
    shown = LOOKS[look](empty, Selection())
    assert not shown.pictures
    assert shown.note


@pytest.mark.parametrize("panel", [compare.sides, forecast.forecast, what_if.what_if, costs.spending])
def test_a_panel_of_nothing_is_no_error(empty: Swarm, panel: Callable[[Swarm], object]) -> None:
    assert panel(empty).error is None  # type: ignore[attr-defined]
