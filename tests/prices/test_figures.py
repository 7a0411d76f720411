"""What requests cost, in figures worked out by hand: dollars per million tokens are micro-dollars per token."""

from datetime import date

import pytest

from swarm_hub.prices import Metered, Prices

TODAY = date(2026, 11, 23)

EACH = Metered(input=1_000, output=1_000, cache_read=1_000, cache_write_5m=1_000, cache_write_1h=1_000)

FIGURES: list[tuple[str, Metered, int]] = [
    # The list that the runtime bills by, as measured. Input + output + read + write of 5 minutes + write of 1 hour.
    ("claude-opus-5-5", EACH, 37_200),  # 4000 + 20000 + 200 + 5000 + 8000
    ("claude-sonnet-5-5", EACH, 18_600),  # 2000 + 10000 + 100 + 2500 + 4000
    ("claude-fable-5-2", EACH, 74_200),  # 8000 + 40000 + 200 + 10000 + 16000
    ("claude-haiku-5-5", EACH, 935),  # 100 + 500 + 10 + 125 + 200
    ("claude-sonnet-4-5-20250929", EACH, 28_050),  # 3000 + 15000 + 300 + 3750 + 6000
    ("claude-opus-4-5-20251101", EACH, 46_750),  # 5000 + 25000 + 500 + 6250 + 10000
    ("claude-haiku-4-5-20251001", EACH, 9_350),  # 1000 + 5000 + 100 + 1250 + 2000
    # Public figures.
    ("claude-opus-4-1-20250805", EACH, 140_250),  # 15000 + 75000 + 1500 + 18750 + 30000
    ("claude-sonnet-4-20250514", EACH, 28_050),  # 3000 + 15000 + 300 + 3750 + 6000
    ("claude-3-5-haiku-20241022", EACH, 7_480),  # 800 + 4000 + 80 + 1000 + 1600
    ("claude-3-haiku-20240307", EACH, 2_330),  # 250 + 1250 + 30 + 300 + 500: with cache prices of its own
    ("claude-fable-5-1", EACH, 92_750),  # 10000 + 50000 + 250 + 12500 + 20000
    # An ordinary turn of an agent.
    ("claude-opus-5-5", Metered(input=12, output=345, cache_read=45_678, cache_write_5m=901), 20_589),
    # 48 + 6900 + 9135.6 + 4505 = 20588.6
    # Rounded half up, once for the request: classes of 0.5 and 2.5 are 3, not 1 + 3.
    ("claude-sonnet-5-5", Metered(cache_read=5, cache_write_5m=1), 3),
    ("claude-haiku-4-5", Metered(cache_write_5m=2), 3),  # 2.5
    ("claude-haiku-5-5", Metered(input=24), 2),  # 2.4
    ("claude-haiku-5-5", Metered(cache_read=1), 1),  # 0.01: never from something to nothing
    ("claude-haiku-5-5", Metered(), 0),
    # The whole prompt chooses the prices of the whole request.
    ("claude-haiku-5-5", Metered(input=100_000, output=1_000), 10_500),  # 10000 + 500
    ("claude-haiku-5-5", Metered(input=100_001, output=1_000), 52_501),  # 50000.5 + 2500
    ("claude-haiku-5-5", Metered(input=1, cache_read=100_000, output=10), 5_026),  # 0.5 + 5000 + 25
    ("claude-sonnet-4-5", Metered(cache_write_1h=200_001), 2_400_012),  # 12 each
    ("claude-opus-5-5", Metered(input=900_000), 3_600_000),  # no longer dearer
    # Service tiers, speed, region and server tools.
    ("claude-opus-5-5", Metered(input=1_000, output=100, service_tier="batch"), 3_000),  # 6000 / 2
    ("claude-opus-5-5", Metered(input=1_000, output=100, service_tier="priority"), 6_000),
    ("claude-opus-5-5", Metered(input=1_000, output=100, speed="fast"), 12_000),
    ("claude-opus-4-7", Metered(input=100, output=10, speed="fast"), 4_500),  # 30 and 150
    ("claude-opus-5-5", Metered(input=1_000, output=100, region="us"), 6_600),
    ("claude-opus-5-5", Metered(input=1_000, output=100, region="not_available"), 6_000),
    ("claude-opus-4-1", Metered(input=1_000, region="eu"), 15_000),  # older models cost the same everywhere
    ("us.anthropic.claude-opus-5-5", Metered(input=1_000, output=100), 6_600),
    ("global.anthropic.claude-opus-5-5", Metered(input=1_000, output=100), 6_000),
    ("claude-opus-5-5", Metered(server_tools={"web_search_requests": 3, "web_fetch_requests": 9}), 30_000),
    ("claude-opus-5-5", Metered(input=1_000, service_tier="batch", server_tools={"web_search_requests": 1}), 12_000),
    # 4000 / 2, and the search in full
]


@pytest.mark.parametrize(("model", "used", "micro_usd"), FIGURES)
def test_a_request_costs_what_was_worked_out_by_hand(prices: Prices, model: str, used: Metered, micro_usd: int) -> None:
    cost = prices.cost(model, used, TODAY)
    assert (cost.micro_usd, cost.basis) == (micro_usd, "listed")


@pytest.mark.parametrize(
    ("model", "input_tokens", "max_tokens", "micro_usd"),
    [
        ("claude-opus-5-5", 10_000, 1_000, 110_000),  # (10000 x 8 + 1000 x 20) x 1.1
        ("claude-haiku-5-5", 100_000, 1_000, 22_550),  # (100000 x 0.2 + 1000 x 0.5) x 1.1
        ("claude-haiku-5-5", 100_001, 1_000, 112_751),  # (100001 x 1 + 1000 x 2.5) x 1.1 = 112751.1
        ("claude-opus-4-1", 1_000, 1_000, 105_000),  # 1000 x 30 + 1000 x 75
    ],
)
def test_the_worst_case_writes_all_input_to_the_cache_for_an_hour_in_the_dearest_region(
    prices: Prices, model: str, input_tokens: int, max_tokens: int, micro_usd: int
) -> None:
    assert prices.worst_case(model, input_tokens, max_tokens, TODAY).micro_usd == micro_usd


def test_the_worst_case_counts_the_speed_asked_for_and_the_uses_of_server_tools(prices: Prices) -> None:
    bound = prices.worst_case("claude-opus-5-5", 10_000, 1_000, TODAY, speed="fast", tool_uses=5)
    assert bound.micro_usd == 2 * 110_000 + 50_000


@pytest.mark.parametrize(
    ("executor", "tier", "milliseconds", "micro_usd"),
    [
        ("local", "heavy", 3_600_000, 0),
        ("slurm", "heavy", 3_600_000, 0),
        ("fly", "light", 60_000, 135),  # 60 x 2.2549 = 135.294
        ("fly", "heavy", 3_600_000, 32_471),  # 3600 x 9.0198 = 32471.28
        ("azure", "standard", 1_500, 90),  # 1.5 x 60
        ("fly", "light", 1, 1),
        ("fly", "light", 0, 0),
    ],
)
def test_a_machine_costs_its_time(prices: Prices, executor: str, tier: str, milliseconds: int, micro_usd: int) -> None:
    cost = prices.machine(executor, tier, milliseconds)
    assert (cost.micro_usd, cost.priced_as, cost.estimated) == (micro_usd, f"{executor}/{tier}", False)


def test_nothing_costs_less_than_nothing(prices: Prices) -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        Metered(cache_read=-1)
    with pytest.raises(ValueError, match="less than nothing"):
        Metered(server_tools={"web_search_requests": -1})
    with pytest.raises(ValueError, match="-1 ms"):
        prices.machine("local", "light", -1)
