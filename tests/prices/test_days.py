"""Prices have days, and a table of the user's own has the say from its days on."""

from datetime import date
from pathlib import Path

import pytest

from prices.own import own_prices
from swarm_hub.prices import Metered, Prices

LONG = Metered(input=200_001, output=10)
USED = Metered(input=1_000, output=1_000)
TODAY = date(2026, 11, 23)

OWN_OPUS = """
[[model]]
id = "claude-opus-4-6"
family = "opus"
from = 2026-03-10
input = 4.5
output = 22.5
"""


def test_a_request_is_priced_by_the_prices_of_its_day(prices: Prices) -> None:
    assert prices.cost("claude-opus-4-6", LONG, date(2026, 3, 12)).micro_usd == 2_000_385  # 10 and 37.5
    assert prices.cost("claude-opus-4-6", LONG, date(2026, 3, 13)).micro_usd == 1_000_255  # 5 and 25


def test_before_a_models_first_day_its_first_prices_stand_and_are_doubted(prices: Prices) -> None:
    cost = prices.cost("claude-opus-4-6", LONG, date(2026, 2, 4))
    assert (cost.micro_usd, cost.basis) == (2_000_385, "unknown day")


def test_own_prices_of_a_model_stand_from_their_first_day_on_whatever_is_shipped(tmp_path: Path) -> None:
    prices = own_prices(tmp_path, OWN_OPUS)
    days = [date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 13)]
    assert [prices.cost("claude-opus-4-6", LONG, day).micro_usd for day in days] == [2_000_385, 900_230, 900_230]


def test_own_prices_leave_the_others_alone(tmp_path: Path, prices: Prices) -> None:
    own = own_prices(tmp_path, OWN_OPUS)
    assert own.cost("claude-opus-5-5", USED, TODAY) == prices.cost("claude-opus-5-5", USED, TODAY)


def test_an_own_model_of_an_own_family_is_no_longer_guessed(tmp_path: Path) -> None:
    prices = own_prices(
        tmp_path, '[[model]]\nid = "gpt-5"\nfamily = "gpt"\nfrom = 2026-01-01\ninput = 1.5\noutput = 9\n'
    )
    assert prices.cost("openai/gpt-5", USED, TODAY).basis == "listed"
    guessed = prices.cost("gpt-6", USED, TODAY)
    assert (guessed.micro_usd, guessed.priced_as, guessed.basis) == (10_500, "gpt-5", "unknown model")


def test_own_cache_factors_make_the_cache_prices_of_own_models_alone(tmp_path: Path) -> None:
    prices = own_prices(tmp_path, "[cache]\nread = 0.5\n" + OWN_OPUS)
    used = Metered(cache_read=1_000, cache_write_5m=1_000)
    assert prices.cost("claude-opus-4-6", used, TODAY).micro_usd == 2_250 + 5_625
    assert prices.cost("claude-opus-4-5", used, TODAY).micro_usd == 500 + 6_250


def test_an_own_alias_service_tier_server_tool_and_machine_win(tmp_path: Path) -> None:
    prices = own_prices(
        tmp_path,
        """
        [aliases]
        opus = "claude-opus-4-5"
        [service_tiers]
        priority = 1.5
        [server_tools]
        web_search_requests = 4
        [machines]
        local = { light = 0.5 }
        """,
    )
    assert prices.cost("opus", Metered(input=1_000, service_tier="priority"), TODAY).micro_usd == 7_500
    assert prices.cost("opus", Metered(server_tools={"web_search_requests": 1}), TODAY).micro_usd == 4_000
    assert prices.machine("local", "light", 10_000).micro_usd == 5
    assert prices.machine("local", "heavy", 10_000).micro_usd == 0


def test_the_worst_case_reckons_with_prices_that_fall_in_long_context(tmp_path: Path) -> None:
    prices = own_prices(tmp_path, OWN_OPUS + "long_context = [{ above = 100, input = 0.1, output = 0.1 }]\n")
    dear = prices.cost("claude-opus-4-6", Metered(cache_write_1h=100, output=1_000), TODAY)
    assert prices.worst_case("claude-opus-4-6", 101, 1_000, TODAY).micro_usd >= dear.micro_usd == 23_400


def test_the_worst_case_reckons_with_the_dearest_service_tier(tmp_path: Path) -> None:
    prices = own_prices(tmp_path, "[service_tiers]\npriority = 1.5\n")
    assert prices.worst_case("claude-opus-5-5", 10_000, 1_000, TODAY).micro_usd == 165_000  # 1.5 x 110000


def test_the_table_says_of_which_day_and_whence_it_is(tmp_path: Path, prices: Prices) -> None:
    own = own_prices(tmp_path, "")
    assert (own.dated, own.source) == (date(2026, 12, 1), "our contract")
    assert prices.dated <= TODAY
    assert "measured" in prices.source


@pytest.mark.parametrize("word", ["standard", "batch", "priority"])
def test_every_service_tier_of_the_api_is_known(prices: Prices, word: str) -> None:
    assert not prices.cost("opus", Metered(input=1, service_tier=word), TODAY).estimated
