"""Amounts on the command line are exact, or refused with what is allowed."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm_cli.dollars import MOST, cents
from swarm_cli.faults import USAGE, Fault
from swarm_cli.look import dollars, money

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(st.integers(0, MOST))
def test_what_is_shown_can_be_typed(amount: int) -> None:
    assert cents(dollars(amount).replace(",", ""), "--daily") == amount


@pytest.mark.parametrize(("text", "amount"), [("12", 1200), ("12.5", 1250), ("0.29", 29), ("$4.35", 435), (" 7 ", 700)])
def test_it_is_exact(text: str, amount: int) -> None:
    assert cents(text, "--daily") == amount


@pytest.mark.parametrize(
    "text", ["", "-1", "1e3", "12.345", "1,000", ".5", "5.", "nan", "ten", "10000000.01", "9" * 400, "\u0665"]
)
def test_anything_else_is_refused_with_the_flag_and_what_is_allowed(text: str) -> None:
    with pytest.raises(Fault) as refused:
        cents(text, "--daily")
    assert refused.value.exit_code == USAGE
    assert refused.value.message == (
        f"--daily: {text!r} is no amount; allowed: dollars from 0 to 10000000, with two decimals at most, as in 12.50"
    )


@pytest.mark.parametrize(
    ("micro_usd", "shown"),
    [(0, "$0.00"), (4_999, "<$0.01"), (5_000, "$0.01"), (1_234_565_000, "$1,234.57"), (15_000, "$0.02")],
)
def test_costs_are_shown_to_the_cent_rounded_half_up(micro_usd: int, shown: str) -> None:
    assert money(micro_usd) == shown
