"""The budget on a terminal: it fits, and its bars say no more than is true."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm_cli.budget_page import bar, page
from swarm_cli.screen import Screen, cells

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCREEN = Screen(terminal=True, colour=False, width=80)
NARROW = SCREEN._replace(width=56)
Json = dict[str, Any]

AMOUNTS = st.integers(0, 9_999_999)  # to $99,999.99: five columns of larger ones need more than 80


def standing(limit: int, spent: int, reserved: int, label: str = "team=web", period: str = "day") -> Json:
    state = "exceeded" if spent >= limit else "warning" if spent * 5 >= limit * 4 else "ok"
    return {
        "label": label, "period": period, "limitCents": limit, "spentCents": spent, "reservedCents": reserved,
        "remainingCents": max(0, limit - spent - reserved), "forecastCents": spent, "state": state,
        "resetsAt": "2026-02-02T00:00:00Z",
    }  # fmt: skip


def budget(*standings: Json) -> Json:
    daily, weekly, *labels = standings
    state = next(state for state in ("exceeded", "warning", "ok") if state in [each["state"] for each in standings])
    return {
        "daily": daily, "weekly": weekly, "labels": labels, "state": state, "waiting": 2, "timeZone": "Europe/Berlin",
        "seq": 1,
    }  # fmt: skip


standings = st.builds(standing, AMOUNTS, AMOUNTS, AMOUNTS, st.text(max_size=80), st.sampled_from(["day", "week"]))


@unhurried
@given(st.lists(standings, min_size=2, max_size=6))
def test_it_fits_80_columns(given_: list[Json]) -> None:
    assert max(cells(line) for line in page(budget(*given_), SCREEN)) <= 80


@unhurried
@given(AMOUNTS, AMOUNTS, AMOUNTS, st.integers(6, 24))
def test_a_bar_is_full_of_spent_money_only_when_all_is_spent(limit: int, spent: int, reserved: int, width: int) -> None:
    drawn = bar(standing(limit, spent, reserved), width)
    assert len(drawn) == width
    assert (drawn == "█" * width) == (spent >= max(1, limit))


@unhurried
@given(AMOUNTS, AMOUNTS, st.integers(6, 24))
def test_a_bar_shows_whatever_is_more_than_nothing(limit: int, spent: int, width: int) -> None:
    assert ("█" in bar(standing(limit, spent, 0), width)) == (spent > 0)


def test_how_it_stands_is_said_in_words() -> None:
    def head(spent: int) -> str:
        return next(page(budget(standing(100, spent, 0), standing(500, spent, 0)), SCREEN))

    assert [head(spent) for spent in (79, 80, 100)] == [
        "✓ within all limits · 2 tasks wait for money",
        "! 80 % or more of a limit is spent · 2 tasks wait for money",
        "✗ spent: day · 2 tasks wait for money",
    ]


def test_the_lines_are_those_of_the_limits() -> None:
    lines = list(page(budget(standing(5000, 4120, 300), standing(20_000, 9000, 300), standing(1000, 0, 0)), SCREEN))
    assert lines[2].split() == ["BUDGET", "LIMIT", "SPENT", "RESERVED", "LEFT", "AT", "PACE", "STATE"]
    assert lines[3].split()[:-1] == ["day", "$50.00", "$41.20", "$3.00", "$5.80", "$41.20", "!", "warning"]
    assert lines[4].split()[:-1] == ["week", "$200.00", "$90.00", "$3.00", "$107.00", "$90.00", "✓", "ok"]
    assert lines[5].startswith("day · team=web")


def test_without_colour_nothing_is_painted_and_with_it_the_state_is() -> None:
    given_ = budget(standing(100, 100, 0), standing(500, 100, 0))
    assert "\x1b" not in "".join(page(given_, SCREEN))
    assert "\x1b[31m✗\x1b[0m spent: day" in "".join(page(given_, SCREEN._replace(colour=True)))


def test_a_limit_of_a_label_that_is_spent_is_named() -> None:
    spent = standing(100, 100, 0, label="owner=x")
    assert "spent: day · owner=x" in next(page(budget(standing(100, 100, 0), standing(500, 100, 0), spent), SCREEN))


def test_a_pace_that_passes_a_limit_is_said_in_words() -> None:
    fast = {**standing(4000, 100, 0), "forecastCents": 13_100}
    lines = list(page(budget(fast, standing(50_000, 100, 0)), SCREEN))
    assert "! at the pace of the last hour, the day would come to $131.00 of $40.00 by its" in lines
    assert not any("the week would" in line for line in lines)


def test_a_narrow_terminal_goes_without_the_pace_and_what_is_reserved_but_names_its_limits() -> None:
    lines = list(page(budget(standing(5000, 4120, 300), standing(20_000, 9000, 300), standing(1000, 0, 0)), NARROW))
    head = next(at for at, line in enumerate(lines) if line.startswith("BUDGET"))
    assert lines[head].split() == ["BUDGET", "LIMIT", "SPENT", "LEFT", "STATE"]
    assert lines[head + 3].startswith("day · team=web ")
    assert max(map(cells, lines)) <= NARROW.width
